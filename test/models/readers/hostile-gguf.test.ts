import fc from 'fast-check';
import { mkdtempSync, rmSync, truncateSync, copyFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import { readGguf } from '../../../engine/models/readers/gguf/read-gguf.ts';
import { testModel } from '../../models.ts';
import { encodeGguf, headerBytes, tinyLlama, withTensor, withValue, type GgufSpec } from './tiny-gguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'model.gguf');

/** The refusal, or null when the file is accepted. Anything but an EngineError is thrown on. */
function refusalOf(bytes: Uint8Array): EngineError | null {
  writeFileSync(path, bytes);
  return refusal(path);
}

function refusal(file: string): EngineError | null {
  try {
    readGguf(file).tensors.dispose();
    return null;
  } catch (cause) {
    if (cause instanceof EngineError) return cause;
    throw cause;
  }
}

const valid = encodeGguf(tinyLlama());

describe('a small valid file', () => {
  it('is read', () => expect(refusalOf(valid)).toBeNull());

  it('is refused when it is cut at any byte of its header, and anywhere in its data', () => {
    const header = headerBytes(tinyLlama());
    for (let length = 0; length < valid.length; length += length < header ? 1 : 31) {
      expect(refusalOf(valid.subarray(0, length))?.code, `cut at ${length}`).toBe('model_file_invalid');
    }
  });
});

describe('the real model’s file', () => {
  const cut = join(folder, 'cut.gguf');
  beforeAll(async () => copyFileSync(await testModel(), cut));

  it('is refused when it is cut at a 4 KiB border', () => {
    const borders = Math.floor(statSync(cut).size / 4_096);
    // Dense in the header (2 MB) and at the end; between them every cut meets the same check, after reading the whole header.
    const chosen = Array.from({ length: borders }, (_, i) => i).filter((i) =>
      i < 512 ? i % 16 === 0 : i % 1_024 === 0 || i > borders - 8,
    );
    for (const border of chosen.toReversed()) {
      truncateSync(cut, border * 4_096);
      expect(refusal(cut)?.code, `cut at ${border * 4_096}`).toBe('model_file_invalid');
    }
  });
});

describe('absurd claims', () => {
  const spec = tinyLlama();
  const huge = 2n ** 60n;
  const claims: readonly (readonly [string, GgufSpec, RegExp])[] = [
    ['2^60 tensors', { ...spec, tensorCount: huge }, /out of range/],
    ['2^40 tensors', { ...spec, tensorCount: 2n ** 40n }, /do not fit/],
    ['2^40 metadata entries', { ...spec, pairCount: 2n ** 40n }, /do not fit/],
    ['one metadata entry too many', { ...spec, pairCount: BigInt(spec.metadata.length + 1) }, /./],
    ['a repeated key', { ...spec, metadata: [...spec.metadata, ['llama.block_count', { u32: 1 }]] }, /appears twice/],
    ['a dimension of 2^50', withTensor(spec, 'output_norm.weight', { dims: [2n ** 50n] }), /beyond the end/],
    [
      'dimensions whose product overflows',
      withTensor(spec, 'output_norm.weight', { dims: [2n ** 52n, 2n ** 52n, 2n ** 52n, 2n ** 52n] }),
      /beyond the end/,
    ],
    ['a dimension of 0', withTensor(spec, 'output_norm.weight', { dims: [0] }), /empty dimension/],
    ['no dimension', withTensor(spec, 'output_norm.weight', { dims: [] }), /0 dimensions/],
    ['1,000 dimensions', withTensor(spec, 'output_norm.weight', { dims: new Array<number>(1_000).fill(1) }), /1000 dimensions/],
    ['an offset beyond the file', withTensor(spec, 'output_norm.weight', { offset: 2 ** 40 }), /beyond the end/],
    ['an offset of 2^63', withTensor(spec, 'output_norm.weight', { offset: 2n ** 63n }), /out of range/],
    ['an offset that is not aligned', withTensor(spec, 'output_norm.weight', { offset: 33 }), /no multiple of 32/],
    ['tensors that overlap', withTensor(spec, 'output_norm.weight', { offset: 32 }), /overlap/],
    [
      'a tensor twice',
      {
        ...spec,
        tensors: [...spec.tensors, { name: 'output_norm.weight', dims: [16], type: 0, offset: spec.dataBytes }],
        dataBytes: spec.dataBytes + 64,
      },
      /two tensors/,
    ],
    ['rows that are no whole blocks', withTensor(spec, 'blk.0.attn_q.weight', { type: 8 }), /no multiple of Q8_0/],
    ['an alignment of 0', withValue(spec, 'general.alignment', { u32: 0 }), /alignment/],
    ['an alignment of 2^31', withValue(spec, 'general.alignment', { u32: 2 ** 31 }), /alignment/],
    ['2^32 - 1 layers', withValue(spec, 'llama.block_count', { u32: 2 ** 32 - 1 }), /layerCount/],
    ['no heads', withValue(spec, 'llama.attention.head_count', { u32: 0 }), /./],
    ['a NaN epsilon', withValue(spec, 'llama.attention.layer_norm_rms_epsilon', NaN), /finite/],
    ['a number where a text is needed', withValue(spec, 'general.architecture', { u32: 1 }), /not a text/],
    ['a text where a number is needed', withValue(spec, 'llama.block_count', 'one'), /not a finite number/],
    ['a hidden size that the tensors do not have', withValue(spec, 'llama.embedding_length', { u32: 32 }), /shape/],
    ['a missing tensor', { ...spec, tensors: spec.tensors.slice(1) }, /./],
    ['more tokens than embeddings', withValue(spec, 'tokenizer.ggml.tokens', new Array<string>(9).fill('x')), /9 tokens/],
    ['an end token outside the vocabulary', withValue(spec, 'tokenizer.ggml.eos_token_id', { u32: 8 }), /token 8/],
    ['a merge that is no pair', withValue(spec, 'tokenizer.ggml.merges', ['ab']), /not a pair/],
  ];

  it.each(claims)('%s', (_, claim, reason) => {
    const refused = refusalOf(encodeGguf(claim));
    expect(refused?.code).toBe('model_file_invalid');
    expect(refused?.message).toMatch(reason);
  });

  it('an array of 2^40 elements, of arrays, or of an unknown type', () => {
    for (const [element, length] of [
      [8, 2n ** 40n],
      [9, 1n],
      [99, 1n],
    ] as const) {
      expect(refusalOf(withRawArray(element, length))?.code).toBe('model_file_invalid');
    }
  });

  it('a string longer than the file, without taking memory for it', () => {
    const bytes = Buffer.from(valid);
    bytes.writeBigUInt64LE(2n ** 33n, 24);
    const before = process.memoryUsage().rss;
    expect(refusalOf(bytes)?.code).toBe('model_file_invalid');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });

  it('names what it does not support', () => {
    expect(refusalOf(encodeGguf(withValue(spec, 'general.architecture', 'rwkv7')))?.code).toBe('unsupported_model');
    expect(refusalOf(encodeGguf(withValue(spec, 'tokenizer.ggml.pre', 'unheard-of')))?.code).toBe('unsupported_model');
    expect(refusalOf(encodeGguf(withTensor(spec, 'output_norm.weight', { type: 16 })))?.code).toBe('unsupported_model');
    const extra = { name: 'blk.0.ssm.weight', dims: [16], type: 0, offset: spec.dataBytes };
    expect(refusalOf(encodeGguf({ ...spec, tensors: [...spec.tensors, extra], dataBytes: spec.dataBytes + 64 }))?.code).toBe(
      'unsupported_model',
    );
  });
});

it('any change of the header’s bytes is read or refused, never a crash', () => {
  const header = headerBytes(tinyLlama());
  const change = fc.record({ at: fc.nat(header - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const bytes = Buffer.from(valid);
      for (const { at, value } of changes) bytes[at] = value;
      expect(['none', 'model_file_invalid', 'unsupported_model']).toContain(refusalOf(bytes)?.code ?? 'none');
    }),
    { numRuns: 1_000 },
  );
});

/** A file whose first metadata value is an array with this element type and length. */
function withRawArray(elementType: number, length: bigint): Uint8Array {
  const out = Buffer.alloc(24 + 8 + 1 + 4 + 4 + 8);
  out.write('GGUF', 0);
  out.writeUInt32LE(3, 4);
  out.writeBigUInt64LE(0n, 8);
  out.writeBigUInt64LE(1n, 16);
  out.writeBigUInt64LE(1n, 24);
  out.write('x', 32);
  out.writeUInt32LE(9, 33);
  out.writeUInt32LE(elementType, 37);
  out.writeBigUInt64LE(length, 41);
  return Buffer.concat([out, Buffer.alloc(64)]);
}

it('names that JavaScript objects have are nothing special', () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    expect(refusalOf(encodeGguf(withValue(tinyLlama(), 'general.architecture', name)))?.code).toBe('unsupported_model');
    expect(refusalOf(encodeGguf(withTensor(tinyLlama(), 'output_norm.weight', { name })))?.code).toBe('model_file_invalid');
    expect(refusalOf(encodeGguf(withTensor(tinyLlama(), 'blk.0.attn_norm.weight', { name: `blk.0.${name}.weight` })))?.code).toBe(
      'model_file_invalid',
    );
    expect(refusalOf(encodeGguf(withValue(tinyLlama(), 'tokenizer.ggml.tokens', [name, 'a', 'b', 'c', 'ab', 'abc', 'd', 'e'])))).toBeNull();
  }
});
