import { describe, expect, test } from 'vitest';
import { LastDay } from '../../../engine/ledger/cost/last-day.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { aRequest, aSample } from '../records.ts';

const HOUR_MS = 3_600_000;
const NOON_MS = 20_000 * 86_400_000 + 12 * HOUR_MS;

describe('the last day', () => {
  test('is empty at first, without means', () => {
    expect(new LastDay().now(NOON_MS, false)).toEqual({
      requests: 0,
      perRequestUsd: null,
      busyUsd: 0,
      idleUsd: 0,
      upstreamUsd: 0,
      premiumUsd: 0,
      savedShare: null,
      measured: false,
    });
  });

  test('sums requests and samples', () => {
    const day = new LastDay();
    day.record(aRequest({ atMs: NOON_MS, totalMs: 10, energyUsd: 0.1, hardwareUsd: 0.2, upstreamUsd: 0.3, premiumUsd: 2.5 }));
    day.record(aRequest({ atMs: NOON_MS, totalMs: 10, energyUsd: 0, hardwareUsd: 0, upstreamUsd: 0, premiumUsd: null }));
    day.sample(aSample({ atMs: NOON_MS, busyUsd: 0.3, idleUsd: 0.7 }));
    const now = day.now(NOON_MS + 1000, true);
    expect(now).toMatchObject({ requests: 2, busyUsd: 0.3, idleUsd: 0.7, upstreamUsd: 0.3, premiumUsd: 2.5, measured: true });
    expect(now.perRequestUsd).toBeCloseTo(0.3, 12);
    expect(now.savedShare).toBeCloseTo(1 - 0.6 / 2.5, 12);
  });

  test('forgets what is older', () => {
    const day = new LastDay();
    day.record(aRequest({ atMs: NOON_MS, totalMs: 0 }));
    expect(day.now(NOON_MS + 24 * HOUR_MS - 60_000, true).requests).toBe(1);
    expect(day.now(NOON_MS + 24 * HOUR_MS, true).requests).toBe(0);
  });

  test('begins with what the ledger knows', async () => {
    const ledger = new FakeLedger();
    for (const hour of [30, 20, 10, 1]) {
      const atMs = NOON_MS - hour * HOUR_MS;
      ledger.record(aRequest({ atMs, totalMs: 10, energyUsd: 0.25, hardwareUsd: 0.25, upstreamUsd: 0.5, premiumUsd: 4 }));
      ledger.sample(aSample({ atMs, busyUsd: 0.5, idleUsd: 1 }));
    }
    const day = new LastDay();
    await day.restore(ledger, NOON_MS);
    const now = day.now(NOON_MS, true);
    expect(now).toMatchObject({ requests: 3, busyUsd: 1.5, idleUsd: 3, upstreamUsd: 1.5, premiumUsd: 12, perRequestUsd: 1 });
    expect(day.now(NOON_MS + 23.9 * HOUR_MS, true).requests).toBe(0);
  });
});
