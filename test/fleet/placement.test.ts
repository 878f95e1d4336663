import { describe, expect, test } from 'vitest';
import { kvBytesPerToken, planPlacement, type PlacementWishes } from '../../engine/fleet/placement.ts';
import { retryAfterSeconds } from '../../engine/fleet/retry-after.ts';
import { testManifest } from './fleet-setup.ts';

const manifest = testManifest('m');
const variant = Object.values(manifest.variants)[0] ?? expect.unreachable();
const wishes: PlacementWishes = { modelDir: '/m', threads: 2, contextLength: null, slots: null, maxWaiting: 8, speculation: true };
const plan = (bytes: number, changes: Partial<PlacementWishes> = {}) =>
  planPlacement({ manifest, variant }, { ...wishes, ...changes }, bytes, []);

describe('placement', () => {
  test('counts keys and values of every layer', () => {
    // 2 layers, 1 KV head of 4 floats, keys and values.
    expect(kvBytesPerToken(manifest, variant)).toBe(2 * 2 * 1 * 4 * 4);
  });

  test('grants a KV budget that leaves room for weights, process and page cache', () => {
    const placement = plan(2 ** 30);
    expect(placement).toMatchObject({ kind: 'fits', options: { variant: 'int8', threads: 2, maxWaiting: 8 } });
    const budget = placement.kind === 'fits' ? placement.options.kvBudgetBytes : 0;
    expect(budget).toBeGreaterThan(2 ** 28);
    expect(budget + variant.sizeBytes).toBeLessThan(2 ** 30);
  });

  test('refuses with both figures when one sequence of the wished context does not fit', () => {
    const placement = plan(210 * 2 ** 20, { contextLength: 1_000_000 });
    expect(placement).toMatchObject({ kind: 'refused' });
    expect(placement.kind === 'refused' && placement.reason).toMatch(/needs \d+ MB and 221 MB are free/);
  });

  test('names the idle model that was used least recently, never a busy one', () => {
    const loaded = [
      { key: 'busy', idle: false, lastUsedMs: 1 },
      { key: 'late', idle: true, lastUsedMs: 3 },
      { key: 'early', idle: true, lastUsedMs: 2 },
    ];
    expect(planPlacement({ manifest, variant }, wishes, 0, loaded)).toMatchObject({ kind: 'evict', key: 'early' });
    expect(planPlacement({ manifest, variant }, wishes, 0, loaded.slice(0, 1))).toMatchObject({ kind: 'refused' });
  });
});

describe('the time to come back', () => {
  test('is half the queue at the measured rate', () => {
    const finished = Array.from({ length: 11 }, (_, i) => i * 1000);
    expect(retryAfterSeconds(20, finished, 10_000)).toBe(10);
  });

  test('grows while nothing ends, up to two minutes', () => {
    expect(retryAfterSeconds(20, [0, 1000], 30_000)).toBe(120);
    expect(retryAfterSeconds(1, [0, 1], 2)).toBe(1);
  });

  test('is a guess as long as no rate is known', () => {
    expect(retryAfterSeconds(20, [5], 10)).toBe(5);
  });
});
