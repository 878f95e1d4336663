import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DecoderFamily } from '../../../engine/models/manifest.ts';
import { openModel } from '../../../engine/models/readers/open-model.ts';
import type { SourceModel } from '../../../engine/models/readers/source-model.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');
const sizes = JSON.parse(readFileSync(join(FIXTURES, 'readers/families/sizes.json'), 'utf8')) as Readonly<Record<string, number>>;
const ONE = new Uint8Array(Float32Array.of(1).buffer);
const folder = mkdtempSync(join(tmpdir(), 'millrace-families-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The header that llama.cpp’s converter wrote, with the float32 number 1 over and over for weights. */
function openGguf(family: string): SourceModel {
  const path = join(folder, `${family}.gguf`);
  const header = readFileSync(join(FIXTURES, 'readers/families', `${family}.header`));
  writeFileSync(path, Buffer.concat([header, Buffer.alloc((sizes[family] ?? 0) - header.length, ONE)]));
  return closed(openModel(path));
}

function closed(model: SourceModel): SourceModel {
  model.tensors.dispose();
  return model;
}

function shapesOf(model: SourceModel): readonly string[] {
  return [...model.tensors.tensors.values()].map(({ name, shape }) => `${name} ${shape.join('×')}`).toSorted();
}

/** What a GGUF file of llama.cpp's converter does not say, or says in other words. */
const DIFFERENCES: Readonly<Record<DecoderFamily, (gguf: SourceModel, original: SourceModel) => object>> = {
  // The factors of llama 3 come as a tensor, here of ones.
  llama: ({ config }, original) => ({ rope: { ...original.config.rope, scaling: config.rope.scaling } }),
  // Mistral's files say llama, without a window.
  mistral: ({ config }) => ({ family: 'llama', layers: config.layers.map(() => ({ window: 0, rope: true })) }),
  qwen2: () => ({}),
  qwen3: () => ({}),
  smollm3: () => ({}),
  // The 1 is added to the norm weights; the scalar of attention and its cap are left out.
  gemma3: ({ config }) => ({ normWeightOffset: 0, attentionScale: 1 / Math.sqrt(config.headDim), attentionSoftcap: 0 }),
};

describe.each(Object.entries(DIFFERENCES))('%s as llama.cpp’s converter writes it', (family, differences) => {
  const gguf = openGguf(family);
  const original = closed(openModel(join(FIXTURES, 'families', family)));

  it('has the same tensors under the same names', () => {
    expect(shapesOf(gguf)).toEqual(shapesOf(original));
  });

  it('has the same configuration', () => {
    const wanted = { ...original.config, ...differences(gguf, original) };
    expect(rounded(gguf.config)).toEqual(rounded(wanted));
  });

  it('has the same markers', () => {
    expect(gguf.tokenizer.bosToken).toBe(original.tokenizer.bosToken);
    expect(gguf.tokenizer.eosTokens).toEqual(expect.arrayContaining([...original.tokenizer.eosTokens]));
  });

  it('says whether its q and k rows are interleaved', () => {
    expect(gguf.qkRowsPermuted).toBe(['llama', 'mistral', 'smollm3'].includes(family));
  });
});

it('llama 3’s factors are read from their tensor', () => {
  expect(openGguf('llama').config.rope.scaling).toEqual({ kind: 'factors', factors: new Array<number>(8).fill(1) });
});

/** GGUF keeps numbers in single precision. */
function rounded(value: object): unknown {
  return JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === 'number' ? Number(item.toPrecision(6)) : item)));
}
