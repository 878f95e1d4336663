import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ModelManifest } from '../../../engine/models/manifest.ts';
import { isModelId, modelIdFrom, ModelStore, variantOf } from '../../../engine/models/store/model-store.ts';

let dataDir: string;
let store: ModelStore;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'millrace-store-'));
  store = new ModelStore(dataDir);
});
afterEach(() => rmSync(dataDir, { recursive: true }));

function manifest(id: string, change: object = {}): ModelManifest {
  const variant = {
    name: 'int8',
    precision: 'int8',
    graphVersion: 1,
    graphFile: 'int8/model.onnx',
    weightsFile: 'int8/weights.bin',
    sizeBytes: 1,
    bitsPerWeight: 8,
    method: 'test',
    kvType: 'f32',
  };
  const whole = {
    formatVersion: 1,
    id,
    createdAt: '2026-01-01T00:00:00Z',
    source: { kind: 'file', reference: 'x', sha256: null },
    licence: null,
    parameterCount: 1,
    config: { layers: [] },
    tokenizer: { file: 'tokenizer.json', vocabFile: 'vocab.bin', bosToken: null, eosTokens: [], addBos: false, chatTemplate: null },
    variants: { int8: variant },
    defaultVariant: 'int8',
  };
  return { ...whole, ...change } as unknown as ModelManifest;
}

async function add(id: string, file = 'a'): Promise<void> {
  const staging = await store.stage(id);
  writeFileSync(join(staging.path, file), '');
  await staging.commit(manifest(id));
}

describe('a model', () => {
  it('appears when it is committed, with its files', async () => {
    const staging = await store.stage('m');
    writeFileSync(join(staging.path, 'weights'), '');
    expect(await store.list()).toEqual([]);
    expect(await store.has('m')).toBe(false);
    await staging.commit(manifest('m'));
    expect(await store.get('m')).toEqual(manifest('m'));
    expect(readdirSync(store.path('m')).toSorted()).toEqual(['model.json', 'weights']);
    expect((await store.list()).map(({ kind, id }) => ({ kind, id }))).toEqual([{ kind: 'ready', id: 'm' }]);
  });

  it('leaves nothing when it is discarded', async () => {
    await (await store.stage('m')).discard();
    expect(readdirSync(join(dataDir, 'models'))).toEqual([]);
  });

  it('replaces the one of the same name as a whole', async () => {
    await add('m', 'old');
    await add('m', 'new');
    expect(readdirSync(join(dataDir, 'models'))).toEqual(['m']);
    expect(readdirSync(store.path('m')).toSorted()).toEqual(['model.json', 'new']);
  });

  it('gets another manifest', async () => {
    await add('m');
    await store.update(manifest('m', { licence: 'mit' }));
    expect((await store.get('m')).licence).toBe('mit');
    expect(readdirSync(store.path('m')).toSorted()).toEqual(['a', 'model.json']);
    await expect(store.update(manifest('absent'))).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('is removed with all its files', async () => {
    await add('m');
    await store.remove('m');
    expect(readdirSync(join(dataDir, 'models'))).toEqual([]);
    await expect(store.remove('m')).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(store.get('m')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('that was interrupted is swept away, others are not', async () => {
    await add('m');
    await store.stage('half');
    await store.sweep();
    expect(readdirSync(join(dataDir, 'models'))).toEqual(['m']);
  });

  it('that is being added under a busy id is left alone by a sweep', async () => {
    const busy = await store.stage('half-1');
    await store.stage('half');
    await store.sweep((id) => id === 'half-1');
    expect(readdirSync(join(dataDir, 'models'))).toEqual([basename(busy.path)]);
  });

  it('that is set aside is gone, and comes back whole or is deleted', async () => {
    await add('m');
    const aside = await store.setAside('m');
    expect(await store.list()).toEqual([]);
    await store.sweep();
    await aside.restore();
    expect(readdirSync(store.path('m')).toSorted()).toEqual(['a', 'model.json']);
    const again = await store.setAside('m');
    await add('m');
    await expect(again.restore()).rejects.toMatchObject({ code: 'invalid_request' });
    await again.delete();
    expect(readdirSync(join(dataDir, 'models'))).toEqual(['m']);
    await store.setAside('m');
    await store.deleteSetAside();
    expect(readdirSync(join(dataDir, 'models'))).toEqual([]);
    await expect(store.setAside('m')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('is not added under a name that its manifest does not have', async () => {
    const staging = await store.stage('m');
    await expect(staging.commit(manifest('n'))).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('a damaged model', () => {
  const faults: readonly (readonly [string, string | object, RegExp])[] = [
    ['no JSON', '{"formatVersion":', /not a JSON object/],
    ['a list', '[]', /not a JSON object/],
    ['another format', { formatVersion: 2 }, /format version/],
    ['another name', { id: 'other' }, /another model/],
    ['no config', { config: null }, /no config/],
    ['no tokenizer', { tokenizer: null }, /no tokenizer/],
    ['no default variant', { defaultVariant: 'fp32' }, /no default variant/],
    ['a file outside', { tokenizer: { file: '../../secret', vocabFile: 'vocab.bin' } }, /outside/],
    ['an absolute file', { tokenizer: { file: '/etc/passwd', vocabFile: 'vocab.bin' } }, /outside/],
    ['a variant without files', { variants: { int8: {} } }, /outside/],
  ];
  it.each(faults)('with %s is listed with the reason, and others still work', async (_, content, reason) => {
    await add('m');
    await add('good');
    writeFileSync(
      join(store.path('m'), 'model.json'),
      typeof content === 'string' ? content : JSON.stringify({ ...manifest('m'), ...content }),
    );
    expect(await store.list()).toMatchObject([
      { kind: 'ready', id: 'good' },
      { kind: 'damaged', id: 'm', reason: expect.stringMatching(reason) },
    ]);
    await expect(store.get('m')).rejects.toMatchObject({ code: 'model_file_invalid' });
    await store.remove('m');
    expect(await store.has('m')).toBe(false);
  });

  it('without model.json is listed too; stray files are not models', async () => {
    mkdirSync(join(dataDir, 'models', 'empty'), { recursive: true });
    writeFileSync(join(dataDir, 'models', 'README'), '');
    writeFileSync(join(dataDir, 'models', '.DS_Store'), '');
    expect(await store.list()).toMatchObject([{ kind: 'damaged', id: 'empty' }]);
  });
});

describe('names', () => {
  it.each(['a', 'smollm2-135m-instruct', 'qwen2.5-0.5b_x', '0', 'a'.repeat(96)])('%s is one', (name) => expect(isModelId(name)).toBe(true));
  it.each(['', 'A', '.', '..', '.hidden', '-x', 'a/b', 'a\\b', 'a b', 'con', 'nul.gguf', 'com1', 'x.', 'ü', 'a\0', 'a\n', 'a'.repeat(97)])(
    '%j is none',
    async (name) => {
      expect(isModelId(name)).toBe(false);
      expect(() => store.path(name)).toThrow(/not a model name/);
      await expect(store.stage(name)).rejects.toMatchObject({ code: 'invalid_request' });
      expect(existsSync(join(dataDir, 'models'))).toBe(false);
    },
  );

  it('are made of what people type', () => {
    expect(modelIdFrom('HuggingFaceTB/SmolLM2-135M-Instruct')).toBe('smollm2-135m-instruct');
    expect(modelIdFrom('C:\\models\\My Model (v2).GGUF')).toBe('my-model-v2');
    expect(modelIdFrom('./dir/')).toBe('dir');
    expect(() => modelIdFrom('日本')).toThrow(/not a model name/);
  });

  it('of variants', () => {
    expect(variantOf(manifest('m'), null).name).toBe('int8');
    expect(() => variantOf(manifest('m'), 'fp32')).toThrow(/no variant fp32/);
    expect(() => variantOf(manifest('m'), 'constructor')).toThrow(/no variant/);
  });
});
