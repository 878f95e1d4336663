// The list of devices from scripted sources, and from this machine itself.
import { afterEach, describe, expect, test } from 'vitest';
import type { CpuFacts, DeviceReader, DeviceSource, GpuFacts } from '../../../engine/ledger/devices/facts.ts';
import { createDeviceReader, platformSources } from '../../../engine/ledger/devices/reader.ts';
import { createLog } from '../../../engine/log.ts';

const log = createLog('silent');
const estimate = () => ({ idleWatts: 20, busyWatts: 120 });
const CARD: GpuFacts = {
  name: 'Card A',
  origin: 'its driver',
  utilisation: 0.5,
  memoryUsedBytes: 1,
  memoryTotalBytes: 2,
  powerWatts: 200,
  temperatureCelsius: 60,
  integrated: false,
};

const open: DeviceReader[] = [];
afterEach(() => open.splice(0).forEach((reader) => reader.close()));

/** A source that says what `say` returns at the moment; a promise that never resolves is a tool that hangs. */
function source<T>(name: string, say: () => T | null | Promise<T | null>, periodMs = 1000): DeviceSource<T> & { closed: number } {
  return {
    name,
    periodMs,
    timeoutMs: 3000,
    closed: 0,
    read: async () => say(),
    close() {
      this.closed += 1;
    },
  };
}

function reader(options: {
  readonly cpu?: readonly DeviceSource<CpuFacts>[];
  readonly gpu?: readonly DeviceSource<readonly GpuFacts[]>[];
  readonly nowMs?: () => number;
}): DeviceReader {
  const { cpu = [], gpu = [], nowMs = () => 0 } = options;
  const made = createDeviceReader({ log, estimate, sources: { cpu, gpu }, nowMs });
  open.push(made);
  return made;
}

const hangs = <T>(): Promise<T> => new Promise(() => undefined);

describe('the list of devices', () => {
  test('is the CPU, then the cards of each source in order', async () => {
    const devices = await reader({
      cpu: [source('processor', () => ({ utilisation: 0.5, memoryUsedBytes: 4, memoryTotalBytes: 8 }))],
      gpu: [
        source('a', () => [CARD, { ...CARD, name: 'Card B' }]),
        source('b', () => null),
        source('c', () => [{ ...CARD, name: 'Card C' }]),
      ],
    }).read();
    expect(devices.map(({ id, kind }) => `${id} ${kind}`)).toEqual(['cpu cpu', 'gpu0 gpu', 'gpu1 gpu', 'gpu2 gpu']);
    expect(devices.map(({ name }) => name).slice(1)).toEqual(['Card A', 'Card B', 'Card C']);
    expect(devices[0]).toMatchObject({
      utilisation: 0.5,
      memoryUsedBytes: 4,
      memoryTotalBytes: 8,
      powerWatts: { value: 70, source: 'estimated' },
    });
    expect(devices[1]).toMatchObject({
      powerWatts: { value: 200, source: 'measured' },
      temperatureCelsius: { value: 60, source: 'measured' },
    });
  });

  test('believes the earlier of two sources, and the later where the earlier knows nothing', async () => {
    const early = source<CpuFacts>('early', () => ({ utilisation: null, memoryUsedBytes: 1 }));
    const late = source<CpuFacts>('late', () => ({ utilisation: 0.75, memoryUsedBytes: 2 }));
    const [cpu] = await reader({ cpu: [early, late] }).read();
    expect(cpu).toMatchObject({ utilisation: 0.75, memoryUsedBytes: 1 });
  });

  test('does not wait for a tool that hangs, nor for one that fails', async () => {
    let hung = false;
    let nowMs = 0;
    const slow = source('slow', () => (hung ? hangs<readonly GpuFacts[]>() : [CARD]));
    const broken = source<CpuFacts>('broken', () => {
      throw new Error('no sensor');
    });
    const devices = reader({ cpu: [broken, source('processor', () => ({ utilisation: 0 }))], gpu: [slow], nowMs: () => nowMs });
    await devices.read();
    hung = true;
    nowMs = 1000;
    expect((await devices.read())[1]).toMatchObject({ id: 'gpu0', utilisation: 0.5 });
    nowMs = 9000;
    expect((await devices.read())[1]).toMatchObject({
      id: 'gpu0',
      name: 'Card A',
      utilisation: null,
      memoryTotalBytes: 2,
      powerWatts: { value: null },
    });
  });

  test('keeps the id of a card whose neighbour has gone', async () => {
    let nowMs = 0;
    let first: readonly GpuFacts[] | null = [CARD];
    const devices = reader({ gpu: [source('a', () => first), source('b', () => [{ ...CARD, name: 'Card B' }])], nowMs: () => nowMs });
    await devices.read();
    first = null;
    nowMs = 1000;
    expect((await devices.read()).slice(1)).toMatchObject([
      { id: 'gpu0', name: 'Card A', utilisation: null },
      { id: 'gpu1', name: 'Card B', utilisation: 0.5 },
    ]);
  });

  test('closes its sources', async () => {
    const sources = [source<CpuFacts>('a', () => ({})), source<CpuFacts>('b', () => ({}))];
    reader({ cpu: sources }).close();
    expect(sources.map(({ closed }) => closed)).toEqual([1, 1]);
  });
});

describe('this machine', () => {
  test('tells its use and memory', async () => {
    const devices = createDeviceReader({ log, estimate, sources: platformSources(process.platform) });
    open.push(devices);
    await devices.read();
    await new Promise((resolve) => setTimeout(resolve, 800));
    const cpu = (await devices.read())[0];
    expect(cpu?.utilisation).toBeGreaterThanOrEqual(0);
    expect(cpu?.utilisation).toBeLessThanOrEqual(1);
    expect(cpu?.memoryUsedBytes).toBeGreaterThan(0);
    expect(cpu?.memoryUsedBytes).toBeLessThan(cpu?.memoryTotalBytes ?? 0);
    expect(cpu?.powerWatts.value).toBeGreaterThan(0);
  });

  test.each(['linux', 'darwin', 'win32'] as const)('has sources on %s, each with a time limit', (platform) => {
    const { cpu, gpu } = platformSources(platform);
    const all = [...cpu, ...gpu];
    expect(cpu.length).toBeGreaterThan(0);
    expect(gpu.length).toBeGreaterThan(0);
    for (const { timeoutMs, periodMs } of all) expect(Math.min(timeoutMs, periodMs)).toBeGreaterThan(0);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });
});
