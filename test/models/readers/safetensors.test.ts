import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import { openModel } from '../../../engine/models/readers/open-model.ts';
import type { SourceModel } from '../../../engine/models/readers/source-model.ts';
import {
  LLAMA_CONFIG,
  LLAMA_SHAPES,
  safetensors,
  TOKENIZER,
  withHeader,
  writeFolder,
  writeLlama,
  type Json,
  type Shapes,
} from './tiny-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-safetensors-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const fresh = (): string => join(root, `model-${folders++}`);

function read(files: Readonly<Record<string, Json | Uint8Array | string>> = {}): SourceModel {
  const model = openModel(writeLlama(fresh(), files));
  model.tensors.dispose();
  return model;
}

function refusalOf(files: Readonly<Record<string, Json | Uint8Array | string>>): EngineError | null {
  try {
    read(files);
    return null;
  } catch (cause) {
    if (cause instanceof EngineError) return cause;
    throw cause;
  }
}

describe('a folder', () => {
  it('is read', () => {
    const { config, tokenizer, parameterCount, licence, defaultSourceType } = read({
      'README.md': '---\nlanguage: en\nlicense: apache-2.0\n---\n',
    });
    expect(config).toMatchObject({
      family: 'llama',
      hiddenSize: 16,
      headDim: 8,
      kvHeadCount: 1,
      tiedEmbeddings: true,
      qkvBias: false,
      layers: [{ window: 0, rope: true }],
    });
    expect(tokenizer).toMatchObject({ bosToken: null, eosTokens: [2], addBos: false, chatTemplate: null });
    expect({ licence, defaultSourceType }).toEqual({ licence: 'apache-2.0', defaultSourceType: 'F32' });
    expect(parameterCount).toBe(Object.values(LLAMA_SHAPES).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0));
  });

  it('in shards is the same model', () => {
    const names = Object.keys(LLAMA_SHAPES);
    const part = (from: number, to: number): Shapes => Object.fromEntries(Object.entries(LLAMA_SHAPES).slice(from, to));
    const map = Object.fromEntries(
      names.map((name, i) => [name, i < 5 ? 'model-00001-of-00002.safetensors' : 'model-00002-of-00002.safetensors']),
    );
    const model = openModel(
      writeFolder(fresh(), {
        'config.json': LLAMA_CONFIG,
        'tokenizer.json': TOKENIZER,
        'model.safetensors.index.json': { metadata: {}, weight_map: map },
        'model-00001-of-00002.safetensors': safetensors(part(0, 5)),
        'model-00002-of-00002.safetensors': safetensors(part(5, names.length)),
      }),
    );
    expect([...model.tensors.tensors.keys()]).toEqual(names);
    model.tensors.dispose();
  });

  it('with a head that is tied leaves it out, untied keeps it', () => {
    const withHead = safetensors({ ...LLAMA_SHAPES, 'lm_head.weight': [8, 16] });
    expect(read({ 'model.safetensors': withHead }).tensors.tensors.has('lm_head.weight')).toBe(false);
    const untied = read({ 'model.safetensors': withHead, 'config.json': { ...LLAMA_CONFIG, tie_word_embeddings: false } });
    expect(untied.tensors.tensors.has('lm_head.weight')).toBe(true);
    expect(refusalOf({ 'config.json': { ...LLAMA_CONFIG, tie_word_embeddings: false } })?.message).toMatch(/lm_head/);
  });

  it('of a multimodal checkpoint gives its text model', () => {
    for (const prefix of ['language_model.', 'model.language_model.'] as const) {
      const shapes = Object.entries(LLAMA_SHAPES).map(
        ([name, shape]) => [prefix === 'language_model.' ? prefix + name : name.replace('model.', prefix), shape] as const,
      );
      const file = safetensors({ ...Object.fromEntries(shapes), 'vision_tower.blocks.0.weight': [4] });
      const { model_type: _, ...text } = LLAMA_CONFIG;
      const model = read({ 'model.safetensors': file, 'config.json': { model_type: 'llama', text_config: text } });
      expect([...model.tensors.tensors.keys()]).toEqual(Object.keys(LLAMA_SHAPES));
    }
  });
});

describe('tokenizer files', () => {
  it('end tokens come from all three files', () => {
    const { tokenizer } = read({
      'generation_config.json': { eos_token_id: [3, 2] },
      'tokenizer_config.json': { eos_token: { content: '<end>' }, bos_token: '<s>' },
    });
    expect(tokenizer).toMatchObject({ eosTokens: [3, 2], bosToken: 0, addBos: false });
  });

  it('the post-processor decides about the begin token', () => {
    const single = [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
    const settings = { bos_token: '<s>', add_bos_token: false };
    expect(
      read({
        'tokenizer_config.json': settings,
        'tokenizer.json': { ...TOKENIZER, post_processor: { type: 'TemplateProcessing', single } },
      }).tokenizer.addBos,
    ).toBe(true);
    expect(read({ 'tokenizer_config.json': { ...settings, add_bos_token: true } }).tokenizer.addBos).toBe(true);
  });

  it('chat templates in each place', () => {
    const inSettings = { 'tokenizer_config.json': { chat_template: 'from settings' } };
    expect(read(inSettings).tokenizer.chatTemplate).toBe('from settings');
    expect(read({ ...inSettings, 'chat_template.jinja': 'from a file' }).tokenizer.chatTemplate).toBe('from a file');
    const named = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'plain' },
    ];
    expect(read({ 'tokenizer_config.json': { chat_template: named } }).tokenizer.chatTemplate).toBe('plain');
  });

  it('`Digits` becomes a split at every Unicode number', () => {
    expect(JSON.stringify(read().tokenizer.tokenizerJson.pre_tokenizer)).toContain('\\\\p{N}');
    expect(JSON.stringify(read().tokenizer.tokenizerJson)).not.toContain('"Digits"');
  });
});

describe('rotary parameters', () => {
  const ropeOf = (fields: Json, drop: readonly string[] = []): unknown => {
    const config = Object.fromEntries(Object.entries({ ...LLAMA_CONFIG, ...fields }).filter(([key]) => !drop.includes(key)));
    return read({ 'config.json': config }).config.rope;
  };
  const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 32 };
  const expected = {
    theta: 10_000,
    dim: 8,
    localTheta: null,
    scaling: { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 32 },
  };

  it('of transformers 4 and 5 mean the same', () => {
    expect(ropeOf({ rope_scaling: { rope_type: 'llama3', ...llama3 } })).toEqual(expected);
    expect(ropeOf({ rope_scaling: { type: 'llama3', ...llama3 } })).toEqual(expected);
    expect(ropeOf({ rope_parameters: { rope_type: 'llama3', rope_theta: 10_000, ...llama3 } }, ['rope_theta'])).toEqual(expected);
  });

  it('of YaRN carry its temperature and lengthen the context', () => {
    const { config } = read({
      'config.json': { ...LLAMA_CONFIG, rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 } },
    });
    expect(config.contextLength).toBe(256);
    expect(config.rope.scaling).toEqual({
      kind: 'yarn',
      factor: 4,
      originalContextLength: 64,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: 0.1 * Math.log(4) + 1,
    });
  });

  it('that rotate a part of each head', () => {
    expect(ropeOf({ partial_rotary_factor: 0.5 })).toMatchObject({ dim: 4 });
  });

  it.each([
    { rope_type: 'linear', factor: 0 },
    { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 0 },
    { rope_type: 'llama3', ...llama3, low_freq_factor: 4 },
    { rope_type: 'llama3', ...llama3, high_freq_factor: -1 },
  ])('that would divide by zero are refused: %j', (scaling) => {
    expect(refusalOf({ 'config.json': { ...LLAMA_CONFIG, rope_scaling: scaling } })?.code).toBe('model_file_invalid');
  });

  it('of an unknown kind are refused', () => {
    expect(refusalOf({ 'config.json': { ...LLAMA_CONFIG, rope_scaling: { rope_type: 'novel', factor: 2 } } })?.code).toBe(
      'unsupported_model',
    );
  });
});

describe('what a file may not do', () => {
  const tensor = (begin: number, end: number, shape: readonly number[] = [16], dtype = 'F32'): Json => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  const faults: readonly (readonly [string, Uint8Array])[] = [
    ['be empty', Buffer.alloc(0)],
    ['have a header of 2^60 bytes', Buffer.from('0000000000000010', 'hex')],
    ['have a header beyond its end', Buffer.concat([Buffer.from([255, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')])],
    ['be no JSON', withHeader('{"a":', 0)],
    ['be a list', withHeader([], 0)],
    ['nest without end', withHeader('['.repeat(100_000), 0)],
    ['overlap', withHeader({ a: tensor(0, 64), b: tensor(32, 96) }, 96)],
    ['leave a gap', withHeader({ a: tensor(0, 64), b: tensor(96, 160) }, 160)],
    ['leave bytes at the end', withHeader({ a: tensor(0, 64) }, 65)],
    ['reach beyond the end', withHeader({ a: tensor(0, 64) }, 63)],
    [
      'name a tensor twice',
      withHeader('{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,64]},"a":{"dtype":"F32","shape":[16],"data_offsets":[64,128]}}', 128),
    ],
    ['have a shape of another size', withHeader({ a: tensor(0, 64, [17]) }, 64)],
    ['have a negative dimension', withHeader({ a: tensor(0, 64, [-4, -4]) }, 64)],
    ['have dimensions that overflow', withHeader({ a: tensor(0, 64, [2 ** 40, 2 ** 40]) }, 64)],
    ['have offsets that go back', withHeader({ a: tensor(64, 0) }, 64)],
    ['have a NaN for an offset', withHeader('{"a":{"dtype":"F32","shape":[16],"data_offsets":[0,1e999]}}', 64)],
  ];
  it.each(faults)('%s', (_, file) => {
    expect(refusalOf({ 'model.safetensors': file })?.code).toBe('model_file_invalid');
  });

  it('have element types that are not read', () => {
    expect(refusalOf({ 'model.safetensors': withHeader({ a: tensor(0, 16, [16], 'F8_E4M3') }, 16) })?.code).toBe('unsupported_model');
  });

  it.each(['../other.safetensors', '/etc/x.safetensors', 'sub/x.safetensors', 7])('have a shard at %s', (file) => {
    const index = { weight_map: { 'model.norm.weight': file } };
    expect(refusalOf({ 'model.safetensors.index.json': index })?.code).toBe('model_file_invalid');
  });

  it('lack a shard', () => {
    expect(refusalOf({ 'model.safetensors.index.json': { weight_map: { x: 'model-9.safetensors' } } })?.code).toBe('model_file_invalid');
  });

  const configs: readonly (readonly [string, Json, string])[] = [
    ['another architecture', { model_type: 'mamba' }, 'unsupported_model'],
    ['weights of another quantiser', { quantization_config: { quant_method: 'awq' } }, 'unsupported_model'],
    ['another activation', { hidden_act: 'relu' }, 'unsupported_model'],
    ['no heads', { num_attention_heads: 0 }, 'model_file_invalid'],
    ['10^12 layers', { num_hidden_layers: 1e12 }, 'model_file_invalid'],
    ['half a layer', { num_hidden_layers: 0.5 }, 'model_file_invalid'],
    ['a text for a number', { hidden_size: '16' }, 'model_file_invalid'],
    ['an odd head', { head_dim: 7 }, 'model_file_invalid'],
    ['a negative epsilon', { rms_norm_eps: -1 }, 'model_file_invalid'],
    ['heads that do not share evenly', { num_attention_heads: 3, head_dim: 8, num_key_value_heads: 2 }, 'model_file_invalid'],
  ];
  it.each(configs)('have a config.json with %s', (_, fields, code) => {
    expect(refusalOf({ 'config.json': { ...LLAMA_CONFIG, ...fields } })?.code).toBe(code);
  });

  it('be cut at any byte', () => {
    const whole = safetensors(LLAMA_SHAPES);
    const lengths = Array.from({ length: whole.length }, (_, i) => i).filter((i) => i < 64 || i % 97 === 0 || i > whole.length - 8);
    for (const length of lengths)
      expect(refusalOf({ 'model.safetensors': whole.subarray(0, length) })?.code, `cut at ${length}`).toBe('model_file_invalid');
  });

  it.each([
    ['tokenizer.json', TOKENIZER],
    ['config.json', LLAMA_CONFIG],
  ])('crash the reader, whatever stands in %s', (name, valid) => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 0, 1e308, '', '(a+)+$', [], {}, null));
    const fields = fc.dictionary(fc.constantFrom(...Object.keys(valid), 'model', 'added_tokens', '__proto__'), value, { maxKeys: 4 });
    fc.assert(
      fc.property(
        fc.oneof(
          fields.map((changed) => JSON.stringify({ ...valid, ...changed })),
          fc.string(),
          fc.json(),
        ),
        (text) => {
          expect(['none', 'model_file_invalid', 'unsupported_model']).toContain(refusalOf({ [name]: text })?.code ?? 'none');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('crash the reader, whatever bytes change', () => {
    const whole = Buffer.from(safetensors(LLAMA_SHAPES));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1_000), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const changed = Buffer.from(whole);
        for (const [at, value] of changes) changed[at] = value;
        expect(['none', 'model_file_invalid', 'unsupported_model']).toContain(refusalOf({ 'model.safetensors': changed })?.code ?? 'none');
      }),
      { numRuns: 300 },
    );
  });
});
