// The real engine with the real model, started and spoken to as the desktop app does: through the shell's process and its ports.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineProcess, type EngineState } from '../../electron/engine-process.ts';
import { appPaths } from '../../electron/paths.ts';
import type { JobStatus, ModelStatus } from '../../engine/contract.ts';
import { convertedModel, MODEL, ownDataDir } from '../served.ts';
import { RealUtility } from './real-utility.ts';

const ROOT = join(import.meta.dirname, '..', '..');

describe('the engine in a utility process', () => {
  let dataDir: string;
  let utility: RealUtility;
  let engine: EngineProcess;
  let output = '';
  const states: EngineState[] = [];

  beforeAll(async () => {
    dataDir = await ownDataDir(await convertedModel());
    utility = new RealUtility({ ...process.env, MILLRACE_DATA_DIR: dataDir, MILLRACE_PORT: '0', MILLRACE_LOG_LEVEL: 'warn' });
    const after = (ms: number, call: () => void): (() => void) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    };
    engine = new EngineProcess({
      electron: utility.api,
      paths: appPaths(ROOT),
      clock: { now: Date.now, after },
      onOutput: (text) => (output += text),
      onState: (state) => states.push(state),
      onNotice: () => undefined,
    });
    engine.start();
  });
  afterAll(async () => {
    await engine.stop(0);
    await rm(dataDir, { recursive: true, force: true });
  });

  async function url(): Promise<string> {
    const serving = await until(() => (engine.state.kind === 'serving' ? engine.state : null));
    return serving.url;
  }

  async function until<T>(find: () => T | null | Promise<T | null>): Promise<T> {
    for (;;) {
      const found = await find();
      if (found !== null) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function ask<T>(path: string, body?: object): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const init = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${await url()}${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${await response.text()} ${output}`);
    return (await response.json()) as T;
  }

  async function answer(seed: number): Promise<string> {
    const messages = [{ role: 'user', content: 'What is the capital of France?' }];
    type Completion = { readonly choices: readonly { readonly message: { readonly content: string } }[] };
    const completion = await ask<Completion>('/v1/chat/completions', { model: MODEL, messages, max_tokens: 12, temperature: 0, seed });
    return completion.choices[0]?.message.content ?? '';
  }

  async function runnerPid(): Promise<number> {
    const { models } = await ask<{ readonly models: readonly ModelStatus[] }>('/api/status');
    return models.find(({ id }) => id === MODEL)?.running?.pid ?? 0;
  }

  it('answers, with the runner in a process of its own', async () => {
    expect(await answer(1)).toContain('Paris');
    expect(utility.children.map(({ pid }) => pid)).toContain(await runnerPid());
    expect(utility.children).toHaveLength(2);
  });

  it('starts a killed runner again', async () => {
    const before = await runnerPid();
    process.kill(before, 'SIGKILL');
    await until(async () => ((await runnerPid()) === before ? null : true));
    expect(await answer(2)).toContain('Paris');
    expect(await runnerPid()).not.toBe(before);
  });

  it('pulls a model in another process', async () => {
    const folder = join(ROOT, 'test', 'fixtures', 'encoders', 'bert');
    const { id } = await ask<JobStatus>('/api/jobs/pull', { name: folder });
    const done = await until(async () => {
      const jobs = await ask<readonly JobStatus[]>('/api/jobs');
      const job = jobs.find((entry) => entry.id === id);
      return job !== undefined && job.endedMs !== null ? job : null;
    });
    expect(done).toMatchObject({ state: 'done', result: expect.stringContaining('Installed bert') as string });
  });

  it('is started again when it is killed, and takes its runners with it', async () => {
    await answer(3);
    const [core] = utility.children;
    const runner = await runnerPid();
    core?.kill('SIGKILL');
    await until(() => (states.some(({ kind }) => kind === 'waiting') ? true : null));
    expect(await answer(4)).toContain('Paris');
    expect(() => process.kill(runner, 0)).toThrow();
  });

  it('ends when it is told to, with every process', async () => {
    await engine.stop(1_000);
    const alive = utility.children.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(alive.map((child) => new Promise((resolve) => child.once('exit', resolve))));
    expect(utility.children.filter((child) => child.exitCode === null && child.signalCode === null)).toEqual([]);
    expect(engine.state).toEqual({ kind: 'stopped' });
  });
});
