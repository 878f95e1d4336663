import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataType, GraphBuilder } from '../../../engine/models/graph/onnx.ts';
import { MessageWriter } from '../../../engine/models/graph/protobuf.ts';
import { WeightsFile } from '../../../engine/models/graph/weights-file.ts';
import { OrtSession, OrtTensor, RunBinding } from '../../../engine/ort/index.ts';

let folder: string;
let file: WeightsFile;
let b: GraphBuilder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-onnx-'));
  file = new WeightsFile(join(folder, 'weights.bin'));
  b = new GraphBuilder(file, 'weights.bin');
});
afterEach(() => {
  file[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

test('varints, negative numbers included, have the bytes that the format asks for', () => {
  // https://protobuf.dev/programming-guides/encoding/: field 1 with 150 is 08 96 01; -2 as int64 is fe ff … 01.
  expect(Buffer.from(new MessageWriter().int(1, 150).finish()).toString('hex')).toBe('089601');
  expect(Buffer.from(new MessageWriter().int(1, -2).finish()).toString('hex')).toBe('08feffffffffffffffff01');
  expect(Buffer.from(new MessageWriter().string(2, 'testing').finish()).toString('hex')).toBe('120774657374696e67');
});

test('a graph with an inline, a streamed and a scalar tensor computes what it says', () => {
  const width = 1024;
  const x = b.input('x', DataType.float32, ['n', width]);
  const halves = [new Float32Array(width).fill(2), new Float32Array(width).fill(3)];
  const table = b.stream({ name: 'table', type: DataType.float32, dims: [2, width] }, halves);
  const row = b.node({ op: 'Gather', inputs: [table, b.int64(1)], outputs: ['row'], attributes: { axis: 0 } });
  const scaled = b.node({ op: 'Mul', inputs: [x, row], outputs: ['scaled'] });
  b.node({ op: 'LeakyRelu', inputs: [scaled], outputs: ['y'], attributes: { alpha: { float: 1 } } });
  b.node({ op: 'Add', inputs: ['y', b.float32(0.5)], outputs: ['z'] });
  b.output('z', DataType.float32, ['n', width]);
  file.sync();
  writeFileSync(join(folder, 'graph.onnx'), b.finish());

  using session = OrtSession.create(join(folder, 'graph.onnx'), { threads: 1 });
  const z = new Float32Array(width);
  const input = OrtTensor.over(
    Float32Array.from({ length: width }, (_, i) => i),
    [1, width],
  );
  new RunBinding(session, { inputs: { x: input }, outputs: { z: OrtTensor.over(z, [1, width]) } }).run();
  expect(Array.from(z)).toEqual(Array.from({ length: width }, (_, i) => 3 * i + 0.5));
});

test('streamed tensors start at page borders, so that they can be mapped', () => {
  const first = file.append([Uint8Array.of(1), Uint8Array.of(2, 3)]);
  const second = file.append([Uint8Array.of(4)]);
  expect([first, second]).toEqual([
    { offset: 0, length: 3 },
    { offset: 4096, length: 1 },
  ]);
  expect([...readFileSync(join(folder, 'weights.bin')).subarray(0, 3)]).toEqual([1, 2, 3]);
  expect(file.sizeBytes).toBe(4097);
});

test('equal constants are shared', () => {
  expect(b.int64(1, 2)).toBe(b.int64(1, 2));
  expect(b.float32(1)).toBe(b.float32(1));
  expect(b.int64(1)).not.toBe(b.float32(1));
});

test('two values of one name, and a tensor whose bytes do not fit its shape, are refused', () => {
  b.input('x', DataType.float32, []);
  expect(() => b.node({ op: 'Abs', inputs: ['x'], outputs: ['x'] })).toThrow('Two values of the graph are called x');
  expect(() => b.initializer({ name: 'w', type: DataType.float32, dims: [3] }, new Float32Array(2))).toThrow(
    'has 8 bytes and its shape 12',
  );
});
