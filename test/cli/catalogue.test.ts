// The catalogue's command: what a row says of a machine, and the command itself beside a model of another program.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogueRow, type Machine } from '../../engine/cli/catalogue.ts';
import { CATALOGUE, DEFAULT_MODEL, type CatalogueEntry } from '../../engine/models/sources/catalogue.ts';

const entry: CatalogueEntry = { id: 'one-1b', title: 'One', use: 'text', millions: 1000, licence: 'mit', contextLength: 4096, sources: [] };
const machine: Machine = { memory: { free: 2e9, total: 8e9 }, bytesPerSecond: 12e9, installed: new Set() };

describe('a row of the catalogue', () => {
  it('tells memory, room and speed', () => {
    expect(catalogueRow(entry, machine)).toMatchObject({ sizeBytes: 1.2e9, memoryBytes: 1.5e9, fit: 'fits', tokensPerSecond: 10 });
  });

  it.each([
    ['tight', { free: 1e9, total: 8e9 }],
    ['too large', { free: 1e9, total: 1.4e9 }],
    ['fits', { free: 1.5e9, total: 1.5e9 }],
  ] as const)('says %s', (fit, memory) => {
    expect(catalogueRow(entry, { ...machine, memory }).fit).toBe(fit);
  });

  it('claims no speed that was not measured, and none of encoders', () => {
    expect(catalogueRow(entry, { ...machine, bytesPerSecond: null }).tokensPerSecond).toBeNull();
    expect(catalogueRow({ ...entry, use: 'embedding' }, machine).tokensPerSecond).toBeNull();
  });

  it('marks what is installed', () => {
    expect(catalogueRow(entry, { ...machine, installed: new Set(['one-1b']) }).fit).toBe('installed');
  });
});

describe('millrace catalogue', () => {
  let home = '';
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'millrace-catalogue-'));
    await mkdir(join(home, '.lmstudio/models/a/b'), { recursive: true });
    await writeFile(join(home, '.lmstudio/models/a/b/found-q8_0.gguf'), 'GGUF');
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  const run = async (...words: readonly string[]): Promise<string> => {
    const cli = join(import.meta.dirname, '..', '..', 'engine', 'cli.ts');
    const { HF_HOME: _, HF_HUB_CACHE: __, XDG_CACHE_HOME: ___, OLLAMA_MODELS: ____, ...env } = process.env;
    const options = { encoding: 'utf8', env: { ...env, HOME: home, USERPROFILE: home } } as const;
    return (await promisify(execFile)(process.execPath, [cli, 'catalogue', '--data-dir', join(home, 'data'), ...words], options)).stdout;
  };

  it('searches, and shows what other programs have with the line that installs it', async () => {
    const text = await run('smollm2', 'apache');
    expect(text).toContain(DEFAULT_MODEL);
    expect(text).not.toContain('qwen');
    expect(text).toContain(`millrace pull ${JSON.stringify(join(home, '.lmstudio/models/a/b/found-q8_0.gguf'))} --name found`);
    expect(await run('no-such-words')).toContain('No model of the catalogue');
  });

  it('prints all of it as JSON', async () => {
    const { catalogue, found } = JSON.parse(await run('--json')) as { catalogue: unknown[]; found: unknown[] };
    expect(catalogue).toHaveLength(CATALOGUE.length);
    expect(found).toMatchObject([{ program: 'lm-studio' }]);
  });
});
