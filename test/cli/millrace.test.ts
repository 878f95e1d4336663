import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { convertedModel, millrace, MODEL, ownDataDir, serve, type Served } from '../served.ts';

const CLI = join(import.meta.dirname, '../../engine/cli.ts');
let empty: string;
beforeAll(async () => {
  empty = await mkdtemp(join(tmpdir(), 'millrace-cli-'));
});
afterAll(() => rm(empty, { recursive: true }));

/** The last line of stdout, as JSON. */
function lastJson(stdout: string): Record<string, unknown> {
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

describe('millrace', () => {
  test('explains itself', async () => {
    const { code, stdout } = await millrace(['--help']);
    expect(code).toBe(0);
    for (const word of ['serve', 'pull', 'list', 'run', 'rm', 'bench', 'Start here', 'Exit codes']) expect(stdout).toContain(word);
  });

  test.each(['serve', 'pull', 'run'])('explains %s with examples', async (command) => {
    const { code, stdout } = await millrace([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Examples:');
    expect(stdout).toContain('--data-dir');
  });

  test('prints its version', async () => {
    expect((await millrace(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    [['serve', '--port', '70000'], /--port must be a whole number from 0 to 65535/],
    [['serve', '--slots', 'many'], /--slots must be/],
    [['pull', 'smollm3-3b', '--precision', 'int3'], /--precision must be one of/],
    [['pull', 'smollm3-3b', '--name', 'Has Spaces'], /--name must be up to 96/],
    [['run', 'x', 'hi', '--max-tokens', '1.5'], /whole number/],
    [['pull', 'nothing known'], /owner\/name/],
    [['fly'], /unknown command 'fly'/],
    [['list', '--fly'], /unknown option '--fly'/],
  ])('%j ends with code 2 and the reason', async (args, reason) => {
    const { code, stderr } = await millrace([...args], { MILLRACE_DATA_DIR: empty });
    expect(stderr).toMatch(reason);
    expect(code).toBe(2);
  });

  test('lists nothing in a new folder, for people and for scripts', async () => {
    expect((await millrace(['list', '--data-dir', empty])).stdout).toContain('millrace pull');
    expect(JSON.parse((await millrace(['list', '--json', '--data-dir', empty])).stdout)).toEqual([]);
  });

  test('says that a model is not installed, also as JSON', async () => {
    const { code, stderr } = await millrace(['rm', 'nothing', '--data-dir', empty]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'millrace: No model named nothing is installed.\n' });
    const asJson = await millrace(['run', 'nothing', 'hi', '--json', '--data-dir', empty]);
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: 'model_not_found' } });
  });

  test('refuses a file that is no model, with the reason and without a stack', async () => {
    const file = join(empty, 'fake.gguf');
    await writeFile(file, 'GGUF, or is it?');
    const { code, stderr } = await millrace(['pull', file, '--name', 'fake', '--data-dir', empty]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^millrace: .+\n$/m);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(JSON.parse((await millrace(['list', '--json', '--data-dir', empty])).stdout)).toEqual([]);
  });
});

describe('millrace serve without a model, a hub or Python', () => {
  test('says the remedies and serves all the same', async () => {
    const env = { ...process.env, PATH: empty, HF_ENDPOINT: 'http://127.0.0.1:9' };
    const args = ['serve', '--ensure-default-model', '--port', '0', '--data-dir', join(empty, 'served')];
    const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const stderr = readAll(child.stderr);
    await vi.waitUntil(() => stdout.includes('No model is installed'), { timeout: 30_000 });
    const url = /http:\/\/\S+/.exec(stdout)?.[0] ?? '';
    expect(await (await fetch(`${url}/v1/models`)).json()).toMatchObject({ data: [] });
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect(await stderr).toMatch(/could not be fetched:[^]*HF_ENDPOINT[^]*Python 3 with pip[^]*millrace pull/);
  });
});

describe('millrace with a model', () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await ownDataDir(await convertedModel());
  });
  afterAll(() => rm(dataDir, { recursive: true }));

  test('lists it', async () => {
    const { stdout } = await millrace(['list', '--data-dir', dataDir]);
    expect(stdout).toMatch(new RegExp(`^NAME .*\\n${MODEL} +int8, int8-kv8 +\\d+ MB`));
    const [model] = JSON.parse((await millrace(['list', '--json', '--data-dir', dataDir])).stdout) as {
      id: string;
      variants: { name: string }[];
    }[];
    expect(model).toMatchObject({ id: MODEL, defaultVariant: 'int8', variants: [{ name: 'int8' }, { name: 'int8-kv8' }] });
  });

  test('runs it without a server, with the prompt from stdin, and streams the answer', async () => {
    const flags = ['--temperature', '0', '--max-tokens', '12', '--data-dir', dataDir];
    const child = spawn(process.execPath, [CLI, 'run', MODEL, '-', ...flags], { stdio: ['pipe', 'pipe', 'inherit'] });
    const pieces: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => pieces.push(chunk.toString()));
    child.stdin.end('What is the capital of France?\n');
    const streamed = await readAll(child.stdout);
    expect(pieces.length).toBeGreaterThan(1);
    const asArgument = await millrace(['run', MODEL, 'What is the capital of France?', ...flags]);
    expect(streamed).toBe(asArgument.stdout);
    expect(streamed.trim()).not.toBe('');
  });

  test('runs it through the server when there is one, and gets the same answer', async () => {
    const args = [
      'run',
      MODEL,
      'What is the capital of France?',
      '--temperature',
      '0',
      '--max-tokens',
      '12',
      '--json',
      '--data-dir',
      dataDir,
    ];
    const alone = lastJson((await millrace(args)).stdout);
    const served: Served = await serve({ dataDir });
    try {
      const asked = lastJson((await millrace(args)).stdout);
      expect(asked).toMatchObject({ server: served.url, completionTokens: alone['completionTokens'], finishReason: alone['finishReason'] });
      expect(alone['server']).toBeNull();
      expect(asked['text']).toBe(alone['text']);
    } finally {
      await served.stop();
    }
  });

  test('serves: says the address and a curl line, then that the model is ready; SIGTERM ends it with code 0', async () => {
    const served = await serve({ dataDir });
    const { code, stdout } = await served.stop();
    expect(code).toBe(0);
    expect(stdout).toContain(`listens on ${served.url}`);
    expect(stdout).toContain(`curl ${served.url}/v1/chat/completions`);
    expect(stdout).toMatch(new RegExp(`${MODEL} is ready: int8, context \\d+, up to \\d+ sequences`));
  });

  test('removes it', async () => {
    const { stdout } = await millrace(['rm', MODEL, '--json', '--data-dir', dataDir]);
    expect(JSON.parse(stdout)).toMatchObject({ removed: MODEL });
    expect(JSON.parse((await millrace(['list', '--json', '--data-dir', dataDir])).stdout)).toEqual([]);
  });
});
