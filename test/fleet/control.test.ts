// What people steer: which models stay loaded, which leave and come back; and what requests learn of their place and their cost.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Charging } from '../../engine/fleet/host.ts';
import type { FleetOptions } from '../../engine/fleet/fleet.ts';
import { parseResident, ProcessMemory } from '../../engine/fleet/process-memory.ts';
import { installManifest, pidOf, record, startFleet, testManifest, testParams, type TestFleet } from './fleet-setup.ts';

const open: TestFleet[] = [];
afterEach(() => Promise.all(open.splice(0).map((started) => started.end())));

async function start(ids: readonly string[], changes: Partial<FleetOptions> = {}): Promise<TestFleet> {
  const started = await startFleet(ids, changes);
  open.push(started);
  return started;
}

/** Charges as they come, and how often the end was told. */
function meter(): Charging & { readonly charges: number[]; settled: number } {
  const charges: number[] = [];
  const kept = {
    charges,
    settled: 0,
    onCharge: (deviceMs: number) => void charges.push(deviceMs),
    onSettled: () => void kept.settled++,
  };
  return kept;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const eventually = { timeout: 10_000 };

describe('the charges of a request', () => {
  test('arrive before its end and are what its timings say', async () => {
    const { fleet } = await start(['works']);
    const cost = meter();
    const chargedAtEnd = await new Promise<number>((resolve) => {
      fleet.generate({ model: 'works', prompt: { kind: 'text', text: '' }, params: testParams(7), ...cost }, (event) => {
        if (event.kind === 'done') resolve(total(cost.charges) - event.timings.deviceMs);
      });
    });
    expect(chargedAtEnd).toBe(0);
    expect(total(cost.charges)).toBe(7);
    expect(cost.settled).toBe(0);
  });

  test('of one that was cancelled still arrive, and then it is settled, once', async () => {
    const { fleet } = await start(['works']);
    const cost = meter();
    const started = Promise.withResolvers<void>();
    const prompt = { kind: 'text', text: '' } as const;
    const generation = fleet.generate({ model: 'works', prompt, params: testParams(10_000), ...cost }, (event) => {
      if (event.kind === 'text') started.resolve();
    });
    await started.promise;
    generation.cancel();
    generation.cancel();
    expect(cost.settled).toBe(0);
    await expect.poll(() => cost.settled, eventually).toBe(1);
    expect(total(cost.charges)).toBeGreaterThan(0);
  });

  test('are over at once for one that never ran, and with the process for one that did', async () => {
    const { fleet } = await start(['works', 'load-hangs', 'goes-silent']);
    const [early, waiting, lost] = [meter(), meter(), meter()];
    const ask = (model: string, cost: Charging) =>
      fleet.generate({ model, prompt: { kind: 'text', text: '' }, params: testParams(5), ...cost }, () => undefined);
    ask('works', early).cancel();
    const hanging = ask('load-hangs', waiting);
    await fleet.preload('goes-silent');
    const running = ask('goes-silent', lost);
    await Promise.resolve();
    hanging.cancel();
    running.cancel();
    expect([early.settled, waiting.settled, lost.settled]).toEqual([1, 1, 0]);
    process.kill(pidOf(fleet, 'goes-silent'), 'SIGKILL');
    await expect.poll(() => lost.settled, eventually).toBe(1);
  });

  test('of texts come with their rows', async () => {
    const { fleet } = await start(['works']);
    const cost = meter();
    const inputs = ['a', 'bb', 'ccc'].map((text) => ({ kind: 'text', text }) as const);
    await fleet.encode(
      { model: 'works', inputs, params: { truncate: false, caller: 'test', deadlineMs: 60_000 }, ...cost },
      new AbortController().signal,
    );
    expect(cost.charges).toEqual([1, 1, 1]);
  });
});

describe('a request knows where it stands', () => {
  test('while the model loads, in the queue, in its prefill, and while it writes', async () => {
    const { fleet } = await start(['works']);
    const first = record(fleet, 'works', 10_000);
    const second = record(fleet, 'works', 0);
    await Promise.resolve();
    expect(first.progress()).toEqual({ phase: 'loading', position: 1, etaMs: null });
    expect(second.progress()).toEqual({ phase: 'loading', position: 2, etaMs: null });
    await first.until((event) => event.kind === 'started');
    expect(first.progress()).toMatchObject({ phase: 'decode', position: null, etaMs: null });
    await expect.poll(() => second.progress(), eventually).toMatchObject({ phase: 'prefill', position: null, etaMs: null });
    // What it waited no longer grows.
    const { waitedMs } = second.progress();
    expect(waitedMs).toBeGreaterThanOrEqual(0);
    expect(second.progress().waitedMs).toBe(waitedMs);
  });

  test('with its place among those that have no slot, and the time that follows from those that ended', async () => {
    const { fleet } = await start(['works']);
    const done = [record(fleet, 'works', 3), record(fleet, 'works', 3)];
    const steady = record(fleet, 'works', 10_000);
    await Promise.all(done.map(({ last }) => last));
    const waiting = [record(fleet, 'works', 5), record(fleet, 'works', 5)];
    await Promise.resolve();
    const [first, second] = waiting.map((request) => request.progress());
    expect(first).toMatchObject({ phase: 'queued', position: 1 });
    expect(second).toMatchObject({ phase: 'queued', position: 2 });
    expect(first?.etaMs).toBeGreaterThan(0);
    expect(second?.etaMs).toBeGreaterThan(first?.etaMs ?? Infinity);
    steady.cancel();
  });
});

describe('idle models', () => {
  test('are unloaded after their time, pinned and busy ones are not', async () => {
    let nowMs = 1e12;
    const { fleet } = await start(['works', 'pinned', 'busy'], { now: () => nowMs });
    fleet.setPinned(['pinned']);
    fleet.setIdleUnload(10);
    for (const model of ['works', 'pinned', 'busy']) await record(fleet, model, 1).last;
    const busy = record(fleet, 'busy', 10_000);
    await busy.until((event) => event.kind === 'text');
    nowMs += 4 * 60_000;
    expect(fleet.get('works')).toMatchObject({ pinned: false, unloadInMs: 6 * 60_000 });
    expect(fleet.get('pinned')).toMatchObject({ pinned: true, unloadInMs: null });
    expect(fleet.get('busy')).toMatchObject({ pinned: false, unloadInMs: null });
    nowMs += 6 * 60_000;
    await expect.poll(() => fleet.get('works')?.state.kind, eventually).toBe('installed');
    expect(fleet.get('works')?.unloadInMs).toBeNull();
    expect(fleet.list().map(({ manifest, state }) => [manifest.id, state.kind])).toEqual([
      ['busy', 'ready'],
      ['pinned', 'ready'],
      ['works', 'installed'],
    ]);
    busy.cancel();
    nowMs += 60_000;
    expect(fleet.get('busy')).toMatchObject({ unloadInMs: 9 * 60_000 });
  });

  test('count from the end of the load when nobody has asked yet', async () => {
    let nowMs = 1e12;
    const { fleet } = await start(['works'], { now: () => nowMs });
    fleet.setIdleUnload(1);
    await fleet.preload('works');
    nowMs += 10_000;
    expect(fleet.get('works')?.unloadInMs).toBe(50_000);
    fleet.setIdleUnload(null);
    expect(fleet.get('works')?.unloadInMs).toBeNull();
  });

  test('have a time of their own where one was asked for', async () => {
    let nowMs = 1e12;
    const { fleet } = await start(['works', 'busy'], { now: () => nowMs });
    fleet.setIdleUnload(10);
    for (const model of ['works', 'busy']) await fleet.preload(model);
    fleet.keepAlive('works', null);
    expect(fleet.get('works')?.unloadInMs).toBeNull();
    fleet.keepAlive('works', 60_000);
    expect(fleet.get('works')?.unloadInMs).toBe(60_000);
    fleet.setIdleUnload(null);
    nowMs += 60_000;
    await expect.poll(() => fleet.get('works')?.state.kind, eventually).toBe('installed');
    expect(fleet.get('busy')?.state.kind).toBe('ready');
    fleet.setIdleUnload(10);
    fleet.keepAlive('works', 'default');
    await fleet.preload('works');
    expect(fleet.get('works')?.unloadInMs).toBe(10 * 60_000);
  });

  test('are unloaded in every variant by a plain name, in one by its full name', async () => {
    const { fleet } = await start(['works']);
    await Promise.all([fleet.preload('works:int8'), fleet.preload('works:fp32')]);
    await fleet.unload('works:fp32');
    expect(fleet.get('works:fp32')?.state.kind).toBe('installed');
    expect(fleet.get('works')?.state.kind).toBe('ready');
    await fleet.preload('works:fp32');
    await fleet.unload('works');
    expect(['works:int8', 'works:fp32'].map((name) => fleet.get(name)?.state.kind)).toEqual(['installed', 'installed']);
    await expect(fleet.unload('missing')).rejects.toMatchObject({ code: 'model_not_found' });
  });
});

describe('a removed model', () => {
  const hidden = async (dataDir: string): Promise<readonly string[]> =>
    (await readdir(join(dataDir, 'models'))).filter((name) => name.startsWith('.'));

  test('is gone at once while what runs finishes, and comes back as it was', async () => {
    const { fleet, dataDir } = await start(['works']);
    const running = record(fleet, 'works', 20);
    await running.until((event) => event.kind === 'text');
    const before = Date.now();
    const { restorableUntilMs } = await fleet.remove('works');
    expect(restorableUntilMs - before).toBeGreaterThanOrEqual(10_000);
    expect(fleet.list()).toEqual([]);
    expect(await record(fleet, 'works', 1).last).toMatchObject({ kind: 'error', error: { code: 'model_not_found' } });
    expect((await running.last).kind).toBe('done');
    await fleet.restore('works');
    expect(await hidden(dataDir)).toEqual([]);
    expect((await record(fleet, 'works', 1).last).kind).toBe('done');
    await expect(fleet.restore('works')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  test('loses its files after the time for an undo', async () => {
    const { fleet, dataDir } = await start(['works'], { undoMs: 1 });
    await fleet.remove('works');
    await expect.poll(() => hidden(dataDir), eventually).toEqual([]);
    await expect(fleet.restore('works')).rejects.toThrow('No model named works was removed lately.');
    await expect(fleet.remove('works')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  test('does not take the place of one that was installed meanwhile', async () => {
    const { fleet, dataDir } = await start(['works']);
    await fleet.remove('works');
    await installManifest(dataDir, testManifest('works'));
    await expect(fleet.restore('works')).rejects.toThrow('A model named works was installed meanwhile.');
  });

  test('whose engine ended before its files went loses them at the next start', async () => {
    const first = await start(['works', 'other']);
    await first.fleet.remove('works');
    expect(await hidden(first.dataDir)).toHaveLength(1);
    await first.fleet.close(0);
    await first.fleet.open();
    await expect.poll(() => hidden(first.dataDir), eventually).toEqual([]);
    expect(first.fleet.list().map(({ manifest }) => manifest.id)).toEqual(['other']);
  });
});

describe('the memory of processes', () => {
  test('is the resident set', () => {
    expect(parseResident('Name:\tnode\nVmHWM:\t  9000 kB\nVmRSS:\t    1092 kB\nRssAnon:\t 364 kB\n')).toBe(1092 * 1024);
    expect(parseResident('')).toBeNull();
  });

  test('is read at most once a second, and forgotten with the process', async () => {
    let nowMs = 0;
    const reads: number[] = [];
    const memory = new ProcessMemory(
      () => nowMs,
      async (pid) => {
        reads.push(pid);
        return pid * 1000;
      },
    );
    const look = async (...pids: number[]): Promise<void> => {
      memory.refresh(pids);
      memory.refresh(pids);
      await Promise.resolve();
      await Promise.resolve();
    };
    await look(5);
    nowMs += 999;
    await look(5);
    expect(reads).toEqual([5]);
    nowMs += 1;
    await look(5, 50);
    expect(reads).toEqual([5, 5, 50]);
    expect(memory.of(50)).toBe(50_000);
    await look(50);
    expect(memory.of(5)).toBeNull();
  });

  test.runIf(process.platform === 'linux')('is shown for a running model', async () => {
    const { fleet } = await start(['works']);
    await fleet.preload('works');
    await expect.poll(() => fleet.list()[0]?.memoryBytes, eventually).toBeGreaterThan(2 ** 20);
    await fleet.unload('works');
    expect(fleet.list()[0]?.memoryBytes).toBeNull();
  });
});
