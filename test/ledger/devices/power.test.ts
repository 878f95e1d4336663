import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GpuFacts } from '../../../engine/ledger/devices/facts.ts';
import { cpuPower, estimatedWatts, gpuPower } from '../../../engine/ledger/devices/power.ts';

const ESTIMATE = { idleWatts: 20, busyWatts: 120 };
const CARD: GpuFacts = {
  name: 'Card',
  origin: 'its driver',
  utilisation: 0.5,
  memoryUsedBytes: null,
  memoryTotalBytes: null,
  powerWatts: null,
  temperatureCelsius: null,
  integrated: false,
};

describe('power of the CPU', () => {
  test('is measured where the machine tells', () => {
    const power = cpuPower({ utilisation: 0.5, power: { value: 33, basis: 'RAPL' } }, [], ESTIMATE);
    expect(power).toEqual({ value: 33, source: 'measured', basis: 'Read from RAPL.' });
  });

  test('is an estimate with its basis, and the reason for it', () => {
    const power = cpuPower({ utilisation: 0.25, power: { value: null, basis: 'only root may read it' } }, [], ESTIMATE);
    expect(power).toMatchObject({ value: 45, source: 'estimated' });
    expect(power.basis).toBe('Estimated from the settings, 20 W idle to 120 W busy, at 25% use; only root may read it.');
  });

  test('counts graphics in the same chip, not cards', () => {
    expect(cpuPower({ utilisation: 0.1 }, [{ ...CARD, integrated: true, utilisation: 0.9 }], ESTIMATE).value).toBe(110);
    expect(cpuPower({ utilisation: 0.1 }, [{ ...CARD, utilisation: 0.9 }], ESTIMATE).value).toBe(30);
  });

  test('is unknown before anything is read', () => {
    expect(cpuPower({}, [], ESTIMATE)).toMatchObject({ value: null, source: 'unavailable' });
  });
});

describe('power of a card', () => {
  test('is measured, else what its work adds, else unknown', () => {
    expect(gpuPower({ ...CARD, powerWatts: 0 }, ESTIMATE)).toMatchObject({ value: 0, source: 'measured' });
    expect(gpuPower(CARD, ESTIMATE)).toMatchObject({ value: 50, source: 'estimated' });
    expect(gpuPower({ ...CARD, utilisation: null }, ESTIMATE)).toMatchObject({ value: null, source: 'unavailable' });
    expect(gpuPower({ ...CARD, integrated: true }, ESTIMATE)).toMatchObject({ value: null, source: 'unavailable' });
  });
});

test('an estimate lies between idle and busy, and never below idle when the two are the wrong way round', () => {
  const watts = fc.double({ min: 0, max: 2000, noNaN: true });
  fc.assert(
    fc.property(watts, watts, fc.double({ min: 0, max: 1, noNaN: true }), (idleWatts, busyWatts, utilisation) => {
      const estimated = estimatedWatts(utilisation, { idleWatts, busyWatts });
      expect(estimated).toBeGreaterThanOrEqual(idleWatts);
      expect(estimated).toBeLessThanOrEqual(Math.max(idleWatts, busyWatts) + 1e-9);
    }),
  );
});
