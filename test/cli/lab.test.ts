// Quantise, measure, promote and roll back by the commands themselves, on tiny models of both kinds.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ModelVariants } from '../../engine/contract.ts';

const run = promisify(execFile);
const CLI = join(import.meta.dirname, '..', '..', 'engine', 'cli.ts');
const FIXTURES = join(import.meta.dirname, '..', 'fixtures');

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let dataDir = '';
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-lab-'));
  await millrace('pull', join(FIXTURES, 'families', 'llama'), '--precision', 'int8');
  await millrace('pull', join(FIXTURES, 'encoders', 'bert'), '--precision', 'fp32');
});
afterAll(() => rm(dataDir, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function millrace(...args: readonly string[]): Promise<Ended> {
  const [command = '', ...rest] = args;
  try {
    return { code: 0, ...(await run(process.execPath, [CLI, command, '--data-dir', dataDir, ...rest], { encoding: 'utf8' })) };
  } catch (cause) {
    const { code, stdout, stderr } = cause as Ended;
    return { code, stdout, stderr };
  }
}

async function table(...args: readonly string[]): Promise<ModelVariants> {
  const { code, stdout, stderr } = await millrace(...args, '--json');
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as ModelVariants;
}

const folders = async (): Promise<readonly string[]> =>
  (await readdir(join(dataDir, 'models', 'llama')))
    .filter((name) => /^(int|fp|\.making)/.test(name))
    .map((name) => name.replace(/-.*/, ''));

describe('the lab on the command line', () => {
  it('makes a variant, measures it beside float32, and leaves what answers as it was', async () => {
    const { variants, defaultVariant } = await table('quantise', 'llama', '--precision', 'int4');
    expect(defaultVariant).toBe('int8');
    const int4 = variants.find(({ name }) => name === 'int4');
    expect(int4?.measured?.quality).toMatchObject([{ kind: 'decoder', text: 'bundled', positions: expect.any(Number) as number }]);
    expect(int4?.measured?.speed.decodePerSecond).toBeGreaterThan(0);
    expect(int4?.measured?.referenceSpeed.memoryBytes).toBeGreaterThan(0);
    // The float32 graph that it was measured against is gone again.
    expect(await folders()).toEqual(['int4', 'int8']);
  });

  it('replaces a variant by a newer one in one step', async () => {
    const before = JSON.parse(await readFile(join(dataDir, 'models', 'llama', 'model.json'), 'utf8')) as { variants: { int4: object } };
    await table('quantise', 'llama', '--precision', 'int4', '--anew');
    const after = JSON.parse(await readFile(join(dataDir, 'models', 'llama', 'model.json'), 'utf8')) as { variants: { int4: object } };
    expect(after.variants.int4).not.toEqual(before.variants.int4);
    await table('evaluate', 'llama:int4');
    expect(new Set(await folders())).toEqual(new Set(['int4', 'int8']));
  });

  it('refuses to promote what was not measured, promotes what passes, and goes back', async () => {
    const refused = await millrace('promote', 'llama:int8', '--json');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('not measured yet')]);
    const text = join(dataDir, 'own.txt');
    await writeFile(text, 'The quick brown fox jumps over the lazy dog, again and again.');
    const { hasOwnText, variants } = await table('evaluate', 'llama:int8', '--text', text);
    expect(hasOwnText).toBe(true);
    expect(variants.find(({ name }) => name === 'int8')?.measured?.quality.map((quality) => quality.text)).toEqual(['bundled', 'own']);
    const forced = await millrace('promote', 'llama:int4', '--force');
    expect(forced.stdout).toContain('llama answers with int4 now (before: int8).');
    expect((await table('variants', 'llama')).previousVariant).toBe('int8');
    expect((await millrace('rollback', 'llama')).stdout).toContain('answers with int8 again');
    const nothing = await millrace('rollback', 'llama');
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining('nothing to go back to')]);
  });

  it('measures encoders by their vectors', async () => {
    const { kind, variants } = await table('quantise', 'bert', '--precision', 'int8');
    expect(kind).toBe('encoder');
    const quality = variants.find(({ name }) => name === 'int8')?.measured?.quality[0];
    expect(quality).toMatchObject({ kind: 'encoder', texts: expect.any(Number) as number });
    const { stdout } = await millrace('variants', 'bert');
    expect(stdout).toContain('RECALL@10');
    expect(stdout).toContain('expected');
  });

  it('refuses a model or a text that is not there, and a precision that is none', async () => {
    expect(await millrace('quantise', 'nobody', '--precision', 'int8')).toMatchObject({ code: 1 });
    expect(await millrace('quantise', 'llama', '--precision', 'int3')).toMatchObject({ code: 2 });
    expect(await millrace('evaluate', 'llama', '--text', '/nowhere/at/all')).toMatchObject({ code: 2 });
  });
});
