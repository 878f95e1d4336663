// The one-second heartbeat. Time is the test's own.
import { describe, expect, test } from 'vitest';
import type { DeviceNow } from '../../engine/contract.ts';
import { CostMeter } from '../../engine/ledger/cost/meter.ts';
import type { ModelSample, Sample } from '../../engine/ledger/ledger.ts';
import { Sampler } from '../../engine/ledger/sampler.ts';
import { createLog } from '../../engine/log.ts';
import { aModelSample } from './records.ts';

const CPU: DeviceNow = {
  id: 'cpu',
  kind: 'cpu',
  name: 'Processor',
  utilisation: 0.5,
  memoryUsedBytes: 4,
  memoryTotalBytes: 8,
  powerWatts: { value: 100, source: 'estimated', basis: 'settings' },
  temperatureCelsius: { value: null, source: 'unavailable', basis: 'none' },
};

interface Setup {
  readonly sampler: Sampler;
  readonly meter: CostMeter;
  readonly samples: Sample[];
  readonly clock: { nowMs: number; tick: (() => void) | null };
  /** Replaces what the devices say. */
  read: () => Promise<readonly DeviceNow[]>;
}

function setup(readModels: () => readonly ModelSample[] = () => []): Setup {
  const clock: Setup['clock'] = { nowMs: 1_000_000, tick: null };
  const samples: Sample[] = [];
  const meter = new CostMeter(() => ({ tariffUsdPerKwh: 0.36, hardwarePriceUsd: 0, hardwareLifeYears: 1 }));
  const made: { read: () => Promise<readonly DeviceNow[]> } = { read: async () => [CPU] };
  const sampler = new Sampler({
    reader: { read: () => made.read(), close: () => undefined },
    readModels,
    meter,
    ledger: { sample: (sample) => samples.push(sample) },
    log: createLog('silent'),
    clock: {
      now: () => clock.nowMs,
      every: (_, tick) => {
        clock.tick = tick;
        return () => {
          clock.tick = null;
        };
      },
    },
  });
  return Object.assign(made, { sampler, meter, samples, clock });
}

/** Lets promises that are due run. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a sample', () => {
  test('holds devices, models and the cost of the second', async () => {
    const model = aModelSample({ promptTokens: 7 });
    const { sampler, meter, samples, clock } = setup(() => [model]);
    await sampler.tick();
    meter.charge('cpu', 250);
    clock.nowMs += 1000;
    await sampler.tick();
    expect(samples).toHaveLength(2);
    expect(samples[1]).toMatchObject({
      atMs: 1_001_000,
      models: [model],
      devices: [
        {
          device: 'cpu',
          utilisation: 0.5,
          memoryUsedBytes: 4,
          memoryTotalBytes: 8,
          powerWatts: 100,
          powerMeasured: false,
          temperatureCelsius: null,
        },
      ],
    });
    // 100 W for a second at $0.36 per kWh are 1e-5, a quarter of it busy.
    expect(samples[1]?.busyUsd).toBeCloseTo(2.5e-6, 15);
    expect(samples[1]?.idleUsd).toBeCloseTo(7.5e-6, 15);
  });

  test('goes to every listener, with where its figures come from; one that fails is not in the way', async () => {
    const { sampler } = setup();
    const seen: [Sample, readonly DeviceNow[]][] = [];
    sampler.onSample(() => {
      throw new Error('full');
    });
    const stop = sampler.onSample((sample, devices) => seen.push([sample, devices]));
    await sampler.tick();
    stop();
    expect(seen).toHaveLength(1);
    expect(seen[0]?.[1]).toEqual([CPU]);
    expect(sampler.devices).toEqual([CPU]);
  });
});

describe('the heartbeat', () => {
  test('begins at once and ends when it is stopped', async () => {
    const { sampler, samples, clock } = setup();
    sampler.start();
    await turn();
    expect(samples).toHaveLength(1);
    clock.nowMs += 1000;
    clock.tick?.();
    await turn();
    expect(samples).toHaveLength(2);
    sampler.stop();
    expect(clock.tick).toBeNull();
  });

  test('skips a tick while the one before is still read, and one that follows at once', async () => {
    const made = setup();
    let finish: (devices: readonly DeviceNow[]) => void = () => undefined;
    made.read = () => new Promise((resolve) => (finish = resolve));
    const first = made.sampler.tick();
    made.clock.nowMs += 1000;
    await made.sampler.tick();
    finish([CPU]);
    await first;
    expect(made.samples).toHaveLength(1);
    made.read = async () => [CPU];
    made.clock.nowMs += 300;
    await made.sampler.tick();
    expect(made.samples).toHaveLength(1);
  });

  test('leaves a gap where the machine slept, which costs nothing', async () => {
    const { sampler, samples, clock } = setup();
    await sampler.tick();
    clock.nowMs += 3_600_000;
    await sampler.tick();
    expect(samples.map(({ atMs, idleUsd }) => [atMs, idleUsd])).toEqual([
      [1_000_000, 0],
      [4_600_000, 0],
    ]);
  });

  test('goes on after a reading that failed, and after the clock was set back', async () => {
    const made = setup();
    made.read = () => Promise.reject(new Error('no devices'));
    await made.sampler.tick();
    expect(made.samples).toHaveLength(0);
    made.read = async () => [CPU];
    await made.sampler.tick();
    made.clock.nowMs -= 86_400_000;
    await made.sampler.tick();
    expect(made.samples).toHaveLength(2);
  });
});
