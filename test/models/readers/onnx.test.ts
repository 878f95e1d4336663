import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import { externalDataFiles } from '../../../engine/models/readers/onnx/external-data.ts';

const outside = mkdtempSync(join(tmpdir(), 'millrace-onnx-'));
const folder = join(outside, 'model');
mkdirSync(join(folder, 'sub'), { recursive: true });
afterAll(() => rmSync(outside, { recursive: true }));
writeFileSync(join(outside, 'secret'), Buffer.alloc(100));
writeFileSync(join(folder, 'weights.bin'), Buffer.alloc(100));
writeFileSync(join(folder, 'sub', 'more.bin'), Buffer.alloc(100));
symlinkSync(join(outside, 'secret'), join(folder, 'link.bin'));
symlinkSync(outside, join(folder, 'up'));

/** One length-delimited field. */
function bytes(field: number, ...content: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 127) | 128]), varint(value >>> 7)]);
}

function tensor(location: string, offset = '0', length = '10'): Buffer {
  const entries = Object.entries({ location, offset, length }).map(([key, value]) => bytes(13, bytes(1, key), bytes(2, value)));
  return Buffer.concat([...entries, varint(14 * 8), varint(1)]);
}

const inGraph = (content: Buffer): Buffer => bytes(7, bytes(5, content));

function filesOf(model: Buffer): readonly string[] {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, model);
  return externalDataFiles(path);
}

describe('files that an ONNX model names', () => {
  it('in initialisers, attributes, subgraphs, functions and training graphs', () => {
    const attribute = bytes(5, bytes(5, tensor('sub/more.bin')));
    const places: readonly Buffer[] = [
      inGraph(tensor('weights.bin')),
      bytes(7, bytes(15, bytes(1, tensor('weights.bin')))),
      bytes(7, bytes(1, attribute)),
      bytes(7, bytes(1, bytes(5, bytes(6, bytes(5, tensor('weights.bin')))))),
      bytes(25, bytes(7, attribute)),
      bytes(20, bytes(1, bytes(5, tensor('weights.bin')))),
    ];
    for (const place of places) expect(filesOf(place)).toHaveLength(1);
    expect(filesOf(Buffer.concat(places))).toEqual(['weights.bin', 'sub/more.bin']);
  });

  it('are none when weights lie inside', () => {
    expect(filesOf(inGraph(bytes(9, Buffer.alloc(100))))).toEqual([]);
  });

  it.each([
    '/etc/passwd',
    '../secret',
    'sub/../../secret',
    'link.bin',
    'up/secret',
    'missing.bin',
    'sub',
    '',
    'C:\\secret',
    '..\\secret',
    '.',
    '*/_ORT_MEM_ADDR_/*',
  ])('are refused when one is %j', (location) => {
    expect(() => filesOf(inGraph(tensor(location)))).toThrow(EngineError);
  });

  it.each([
    ['0', '101'],
    ['101', '0'],
    ['-1', '1'],
    ['1e9', '1'],
    ['99999999999999999999', '1'],
  ])('are refused with offset %s and length %s', (offset, length) => {
    expect(() => filesOf(inGraph(tensor('weights.bin', offset, length)))).toThrow(EngineError);
  });

  it('are refused when one is an address in memory, also where a file has that name', () => {
    mkdirSync(join(folder, '*', '_ORT_MEM_ADDR_'), { recursive: true });
    writeFileSync(join(folder, '*', '_ORT_MEM_ADDR_', '*'), Buffer.alloc(100));
    expect(() => filesOf(inGraph(tensor('*/_ORT_MEM_ADDR_/*')))).toThrow(/address in memory/);
  });

  it('are found when the location flag is missing', () => {
    const unflagged = bytes(13, bytes(1, 'location'), bytes(2, '../secret'));
    expect(() => filesOf(inGraph(unflagged))).toThrow(/outside its folder/);
  });
});

describe('hostile protobuf', () => {
  it('of endless nesting is refused', () => {
    let graph: Buffer = Buffer.alloc(0);
    for (let i = 0; i < 500; i++) graph = bytes(1, bytes(5, bytes(6, graph)));
    expect(() => filesOf(bytes(7, graph))).toThrow(/nested/);
  });

  it('cut or changed anywhere is read or refused, never a crash', () => {
    const model = inGraph(tensor('weights.bin'));
    fc.assert(
      fc.property(fc.nat(model.length), fc.nat(model.length - 1), fc.nat(255), (length, at, value) => {
        const changed = Buffer.from(model);
        changed[at] = value;
        try {
          filesOf(changed.subarray(0, length));
        } catch (cause) {
          expect(cause).toBeInstanceOf(EngineError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
