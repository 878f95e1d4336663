import { afterEach, describe, expect, test, vi } from 'vitest';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FleetOptions } from '../../engine/fleet/fleet.ts';
import { forkRunner, type SpawnRunner } from '../../engine/fleet/runner-process.ts';
import {
  FAKE_RUNNER,
  installManifest,
  pidOf,
  record,
  startFleet,
  testManifest,
  testParams,
  tokensOf,
  type TestFleet,
} from './fleet-setup.ts';

const running: TestFleet[] = [];
afterEach(async () => {
  for (const fleet of running.splice(0)) await fleet.end();
});

async function start(ids: readonly string[], changes: Partial<FleetOptions> = {}): Promise<TestFleet> {
  const started = await startFleet(ids, changes);
  running.push(started);
  return started;
}

const isText = (event: { kind: string }): boolean => event.kind === 'text';
const count = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i + 1);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a model that works', () => {
  test('is loaded once for any number of requests that wait for it', async () => {
    const { fleet } = await start(['works']);
    const requests = Array.from({ length: 16 }, () => record(fleet, 'works', 3));
    const last = await Promise.all(requests.map((request) => request.last));
    expect(last.map((event) => event.kind)).toEqual(Array(16).fill('done'));
    expect(requests.map(tokensOf)).toEqual(Array(16).fill([1, 2, 3]));
    expect(fleet.get('works')?.state).toMatchObject({ kind: 'ready', info: { maxSlots: 4 } });
  });

  test('answers by id and by id:variant', async () => {
    const { fleet } = await start(['works']);
    await record(fleet, 'works:fp32', 1).last;
    expect(fleet.get('works:fp32')).toMatchObject({ variant: 'fp32', state: { kind: 'ready', info: { variant: 'fp32' } } });
    expect(fleet.get('works')).toMatchObject({ variant: 'int8', state: { kind: 'installed' } });
    expect(fleet.get('works:int3')).toBeUndefined();
  });

  test('can be loaded before anybody asks', async () => {
    const { fleet } = await start(['works', 'load-fails']);
    expect(await fleet.preload('works')).toMatchObject({ kind: 'ready' });
    expect(await fleet.preload('works')).toMatchObject({ kind: 'ready' });
    expect(await fleet.preload('load-fails')).toEqual({ kind: 'failed', reason: 'The graph is of another version.' });
    expect(() => fleet.preload('missing')).toThrow('No model named missing is installed.');
  });

  test('tokenizes', async () => {
    const { fleet } = await start(['works']);
    expect(await fleet.tokenize('works', { kind: 'text', text: 'hi' })).toEqual([1, 2, 3]);
    await expect(fleet.tokenize('missing', { kind: 'text', text: 'hi' })).rejects.toMatchObject({ code: 'model_not_found' });
  });

  test('sends no event after a cancel, before or after the load', async () => {
    const { fleet } = await start(['works']);
    const early = record(fleet, 'works', 3);
    early.cancel();
    const late = record(fleet, 'works', 10_000);
    await late.until(isText);
    late.cancel();
    const seen = late.events.length;
    await record(fleet, 'works', 5).last;
    expect(early.events).toEqual([]);
    expect(late.events).toHaveLength(seen);
  });

  test('goes on when a listener of events throws', async () => {
    const { fleet } = await start(['works']);
    const steady = record(fleet, 'works', 20);
    await steady.until(isText);
    const prompt = { kind: 'text', text: '' } as const;
    fleet.generate({ model: 'works', prompt, params: testParams(5) }, () => {
      throw new Error('a faulty listener');
    });
    expect((await steady.last).kind).toBe('done');
    expect(tokensOf(steady)).toEqual(count(20));
  });

  test('ends its process when it is unloaded, after what runs has finished', async () => {
    const { fleet } = await start(['works']);
    const request = record(fleet, 'works', 20);
    await request.until(isText);
    const pid = pidOf(fleet, 'works');
    await fleet.unload('works');
    expect((await request.last).kind).toBe('done');
    expect(isAlive(pid)).toBe(false);
    expect(fleet.get('works')?.state).toEqual({ kind: 'installed' });
    expect((await record(fleet, 'works', 2).last).kind).toBe('done');
  });
});

describe.each(['SIGKILL', 'SIGSEGV'] as const)('a runner ended by %s under 32 streams', (signal) => {
  test('ends each with a typed error, and runs again those of which nothing was delivered', async () => {
    const { fleet } = await start(['works']);
    const streams = Array.from({ length: 32 }, () => record(fleet, 'works', 10_000));
    await Promise.all(streams.map((stream) => stream.until(isText)));
    // In the same turn as the signal: the old process never answers it.
    process.kill(pidOf(fleet, 'works'), signal);
    const unseen = record(fleet, 'works', 3);
    const ends = await Promise.all(streams.map((stream) => stream.last));
    expect(ends.map((event) => event.kind === 'error' && event.error.code)).toEqual(Array(32).fill('runner_died'));
    expect((await unseen.last).kind).toBe('done');
    expect(tokensOf(unseen)).toEqual([1, 2, 3]);
  });

  test('runs a request again whose events nobody has passed on', async () => {
    const { fleet } = await start(['works']);
    const request = record(fleet, 'works', 40, () => true);
    await request.until(isText);
    process.kill(pidOf(fleet, 'works'), signal);
    expect((await request.last).kind).toBe('done');
    expect(tokensOf(request)).toEqual(count(40));
  });

  test('runs a request again once, not twice', async () => {
    const { fleet } = await start(['works']);
    const request = record(fleet, 'works', 0);
    await fleet.tokenize('works', { kind: 'text', text: '' });
    const first = pidOf(fleet, 'works');
    process.kill(first, signal);
    await vi.waitUntil(() => fleet.get('works')?.state.kind === 'ready' && pidOf(fleet, 'works') !== first, { timeout: 10_000 });
    process.kill(pidOf(fleet, 'works'), signal);
    expect(await request.last).toMatchObject({ kind: 'error', error: { code: 'runner_died' } });
  });
});

describe('a load that fails', () => {
  test('gives its reason to every request that waits, and to those that come soon after, without another start', async () => {
    const { fleet } = await start(['load-fails']);
    const requests = [record(fleet, 'load-fails', 1), record(fleet, 'load-fails', 1)];
    for (const request of requests)
      expect(await request.last).toMatchObject({
        kind: 'error',
        error: { code: 'model_load_failed', message: 'The graph is of another version.' },
      });
    expect(fleet.get('load-fails')?.state).toEqual({ kind: 'failed', reason: 'The graph is of another version.' });
    expect((await record(fleet, 'load-fails', 1).last).kind).toBe('error');
  });

  test('by a death is tried again, then given up with what the process last wrote', async () => {
    const { fleet } = await start(['load-dies'], { limits: { backoffMs: 1, maxDeaths: 3 } });
    const last = await record(fleet, 'load-dies', 1).last;
    expect(last).toMatchObject({ kind: 'error', error: { code: 'model_load_failed' } });
    expect(last.kind === 'error' && last.error.message).toMatch(/3 times in a row.*SIGKILL.*cannot open shared object file/);
  });

  test('by a hang is given up', async () => {
    const { fleet } = await start(['load-hangs'], { limits: { loadMs: 1000 } });
    expect(await record(fleet, 'load-hangs', 1).last).toMatchObject({ kind: 'error', error: { code: 'model_load_failed' } });
  });

  test('for want of memory starts nothing and says what to do', async () => {
    const { fleet } = await start(['works'], { availableMemoryBytes: () => 2 ** 20 });
    const last = await record(fleet, 'works', 1).last;
    expect(last).toMatchObject({ kind: 'error', error: { code: 'insufficient_memory' } });
    expect(last.kind === 'error' && last.error.message).toContain('--ctx');
  });
});

describe('a runner that says nothing', () => {
  test('is ended, and its requests with it', async () => {
    const { fleet } = await start(['goes-silent'], { limits: { silentMs: 1000, maxDeaths: 2, backoffMs: 1 } });
    expect((await record(fleet, 'goes-silent', 1).last).kind).toBe('error');
  });
});

describe('the queue', () => {
  test('refuses what is above its limit with a time to come back', async () => {
    const { fleet } = await start(['works'], { maxRequests: 2 });
    const requests = [1, 2, 3].map(() => record(fleet, 'works', 3));
    const ends = await Promise.all(requests.map((request) => request.last));
    expect(ends.map((event) => event.kind)).toEqual(['done', 'done', 'error']);
    expect(ends[2]).toMatchObject({ error: { code: 'queue_full', retryAfterSeconds: expect.any(Number) } });
  });

  test('adds a time to come back to a refusal of the runner', async () => {
    const { fleet } = await start(['refuses']);
    expect(await record(fleet, 'refuses', 3).last).toMatchObject({ error: { code: 'queue_full', retryAfterSeconds: expect.any(Number) } });
  });
});

describe('the fleet', () => {
  test('unloads the idle model that was used least recently when another needs its memory', async () => {
    const memory = { bytes: 2 ** 32 };
    const { fleet } = await start(['one', 'two', 'three'], { availableMemoryBytes: () => memory.bytes, spawn: spawnFreeing(memory) });
    for (const model of ['one', 'two']) await record(fleet, model, 1).last;
    memory.bytes = 2 ** 20;
    expect((await record(fleet, 'three', 1).last).kind).toBe('done');
    expect(['one', 'two'].map((model) => fleet.get(model)?.state.kind)).toEqual(['installed', 'ready']);
  });

  test('sees a model that another process installs, and one that it removes', async () => {
    const { fleet, dataDir } = await start(['works']);
    await installManifest(dataDir, testManifest('later'));
    await vi.waitUntil(() => fleet.get('later') !== undefined, { timeout: 10_000 });
    expect(fleet.list().map(({ manifest }) => manifest.id)).toEqual(['later', 'works']);
    await rm(join(dataDir, 'models', 'later'), { recursive: true });
    await vi.waitUntil(() => fleet.get('later') === undefined, { timeout: 10_000 });
  });

  test('drains: what runs finishes, what comes is refused, every process ends', async () => {
    const { fleet } = await start(['works']);
    const request = record(fleet, 'works', 20);
    await request.until(isText);
    const pid = pidOf(fleet, 'works');
    const closed = fleet.close(10_000);
    expect(await record(fleet, 'works', 1).last).toMatchObject({ error: { code: 'draining' } });
    await closed;
    expect(tokensOf(request)).toEqual(count(20));
    expect(isAlive(pid)).toBe(false);
  });

  test('ends what is still running when the time to drain is over', async () => {
    const { fleet } = await start(['works']);
    const request = record(fleet, 'works', 100_000);
    await request.until(isText);
    await fleet.close(0);
    expect(await request.last).toMatchObject({ kind: 'error', error: { code: 'runner_died' } });
  });
});

/** Memory comes back when a process ends, as it does on a real machine. */
function spawnFreeing(memory: { bytes: number }): SpawnRunner {
  return (listener) =>
    forkRunner(FAKE_RUNNER)({
      ...listener,
      onExit: (how) => {
        memory.bytes = 2 ** 32;
        listener.onExit(how);
      },
    });
}
