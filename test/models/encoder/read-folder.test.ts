// What a folder says about an encoder, and folders that cannot be used.
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readEncoderFolder } from '../../../engine/models/readers/encoder/read-folder.ts';
import type { EncoderSource } from '../../../engine/models/readers/encoder/source.ts';
import { openAnyModel, openModel } from '../../../engine/models/readers/open-model.ts';
import { ENCODERS } from './fixtures.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-encoder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A copy of a fixture with some fields of one JSON file changed. */
function changed(name: string, file: string, fields: Readonly<Record<string, unknown>>): string {
  cpSync(join(ENCODERS, name), folder, { recursive: true });
  const path = join(folder, file);
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...fields }));
  return folder;
}

function read(path: string): EncoderSource {
  const source = readEncoderFolder(path);
  source.tensors.dispose();
  return source;
}

describe('a model of sentence-transformers', () => {
  test('says how to pool, how long texts may be, and what stands before them', () => {
    const { config } = read(join(ENCODERS, 'bert'));
    expect(config.contextLength).toBe(62);
    expect(config.head).toEqual({
      kind: 'embedding',
      pooling: 'mean',
      normalize: true,
      dimensions: 32,
      matryoshka: [32, 16],
      prompts: { query: 'query: ' },
      defaultPrompt: 'query: ',
    });
  });

  test('loses the truncation and padding of its tokenizer', () => {
    const stored = JSON.parse(readFileSync(join(ENCODERS, 'bert/tokenizer.json'), 'utf8')) as object;
    expect(stored).toMatchObject({ truncation: { max_length: 16 }, padding: { pad_id: 1 } });
    expect(read(join(ENCODERS, 'bert')).tokenizerJson).toMatchObject({ truncation: null, padding: null });
  });

  test.each([
    ['a dense layer behind the pooling', [{ type: 'sentence_transformers.models.Dense', path: '2_Dense' }]],
    ['a module outside its folder', [{ type: 'sentence_transformers.models.Pooling', path: '../1_Pooling' }]],
  ])('is refused with %s', (_, modules) => {
    cpSync(join(ENCODERS, 'bert'), folder, { recursive: true });
    writeFileSync(join(folder, 'modules.json'), JSON.stringify(modules));
    expect(() => readEncoderFolder(folder)).toThrow(/not supported|names no module/);
  });

  test('is refused with a pooling that is not known', () => {
    const path = changed('bert', '1_Pooling/config.json', { pooling_mode_mean_tokens: false, pooling_mode_max_tokens: true });
    expect(() => readEncoderFolder(path)).toThrow(/pooling_mode_max_tokens/);
  });

  test('is refused with two poolings side by side', () => {
    const path = changed('bert', '1_Pooling/config.json', { pooling_mode_cls_token: true });
    expect(() => readEncoderFolder(path)).toThrow(/pooling/);
  });
});

test('offers no longer texts than attention has memory for', () => {
  const path = changed('nomic_bert-classifier', 'config.json', { max_position_embeddings: 131_072, max_trained_positions: 131_072 });
  const { contextLength, headCount } = read(path).config;
  expect(headCount * contextLength ** 2 * 4).toBeLessThanOrEqual(2 ** 30);
  expect(headCount * (contextLength + 1) ** 2 * 4).toBeGreaterThan(2 ** 30);
});

describe('a classifier', () => {
  test('has the labels of its config', () => {
    const path = changed('bert-classifier', 'config.json', { id2label: { 0: 'bad', 1: 'fair', 2: 'good' } });
    expect(read(path).config.head).toEqual({ kind: 'classification', pooling: 'cls', labels: ['bad', 'fair', 'good'], scores: 'softmax' });
  });

  test.each([
    [{}, 'sigmoid'],
    [{ sentence_transformers: { activation_fn: 'torch.nn.modules.linear.Identity' } }, 'identity'],
    [{ problem_type: 'regression' }, 'identity'],
  ] as const)('of one label with %o has scores by %s', (fields, scores) => {
    expect(read(changed('xlm-roberta-classifier', 'config.json', fields)).config.head).toMatchObject({ labels: ['LABEL_0'], scores });
  });

  test('of several labels that exclude each other not has a score of its own for each', () => {
    const path = changed('bert-classifier', 'config.json', { problem_type: 'multi_label_classification' });
    expect(read(path).config.head).toMatchObject({ scores: 'sigmoid' });
  });
});

describe('a folder that cannot be used', () => {
  test.each([
    ['bert', { num_hidden_layers: 3 }, /no tensor encoder\.layer\.2/],
    ['bert', { num_hidden_layers: 1e9 }, /1000000000 layers/],
    ['bert', { num_hidden_layers: 1 }, /encoder\.layer\.1/],
    ['bert', { intermediate_size: 64 }, /shape/],
    ['bert', { hidden_size: 64 }, /another width/],
    ['bert', { position_embedding_type: 'relative_key' }, /relative/],
    ['bert', { hidden_act: 'mish' }, /mish/],
    ['bert', { num_attention_heads: 5 }, /headDim/],
    ['bert', { layer_norm_eps: 0 }, /divides by 0/],
    ['nomic_bert', { num_experts: 8 }, /mixture/],
    ['nomic_bert', { rotary_emb_fraction: 0.5 }, /part of each head/],
    ['modernbert', { rope_scaling: { type: 'yarn' } }, /scaled/],
    ['modernbert', { norm_bias: true }, /no tensor embeddings\.norm\.bias/],
    ['mpnet', { relative_attention_num_buckets: 30 }, /30 buckets/],
  ])('%s with %o is refused with the reason', (name, fields, reason) => {
    expect(() => readEncoderFolder(changed(name, 'config.json', fields))).toThrow(reason);
  });

  test('is refused when its weights were cut', () => {
    cpSync(join(ENCODERS, 'bert'), folder, { recursive: true });
    truncateSync(join(folder, 'model.safetensors'), 4096);
    expect(() => readEncoderFolder(folder)).toThrow(/model\.safetensors/);
  });
});

test('encoders are told from decoders by their folder', () => {
  const source = openAnyModel(join(ENCODERS, 'bert'));
  source.tensors.dispose();
  expect(source.kind).toBe('encoder');
  expect(() => openModel(join(ENCODERS, 'bert'))).toThrow(/architecture bert/);
});
