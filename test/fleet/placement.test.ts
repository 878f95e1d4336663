import { describe, expect, test } from 'vitest';
import { startInMs } from '../../engine/fleet/eta.ts';
import { planIdleUnloads, unloadInMs } from '../../engine/fleet/eviction.ts';
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
      { key: 'busy', idle: false, lastUsedMs: 1, pinned: false },
      { key: 'late', idle: true, lastUsedMs: 3, pinned: false },
      { key: 'early', idle: true, lastUsedMs: 2, pinned: false },
      { key: 'pinned', idle: true, lastUsedMs: 0, pinned: true },
    ];
    expect(planPlacement({ manifest, variant }, wishes, 0, loaded)).toMatchObject({ kind: 'evict', key: 'early' });
    expect(planPlacement({ manifest, variant }, wishes, 0, loaded.slice(0, 1))).toMatchObject({ kind: 'refused' });
  });

  test('keeps pinned models, and says so when only they are left', () => {
    const loaded = [{ key: 'mine:int8', idle: true, lastUsedMs: 0, pinned: true }];
    const placement = planPlacement({ manifest, variant }, wishes, 0, loaded);
    expect(placement.kind === 'refused' && placement.reason).toContain('Idle but pinned: mine:int8. Unpin one or unload');
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

describe('the time until a waiting request starts', () => {
  const busySinceMs = 1000;

  test('is its place at the rate of this busy period', () => {
    expect(startInMs(3, { finishedAtMs: [2000, 3000], busySinceMs }, 3000)).toBe(3000);
  });

  test('is unknown before two requests have ended since the last pause', () => {
    expect(startInMs(1, { finishedAtMs: [10, 20, 30, 2000], busySinceMs }, 3000)).toBeNull();
  });

  test('follows the latest ends when there are many', () => {
    const slowThenFast = [
      ...Array.from({ length: 10 }, (_, i) => 1000 + i * 10_000),
      ...Array.from({ length: 32 }, (_, i) => 200_000 + i * 100),
    ];
    expect(startInMs(1, { finishedAtMs: slowThenFast, busySinceMs }, 203_100)).toBe(100);
  });
});

describe('idle models', () => {
  const idle = { key: 'a:int8', pinned: false, idleSinceMs: 1000, afterMs: 60_000 };

  test('leave when their time is over, with the reason in words', () => {
    expect(planIdleUnloads([idle], 60_999)).toEqual([]);
    expect(planIdleUnloads([idle], 61_000)).toEqual([{ key: 'a:int8', reason: 'Nobody has asked for a:int8 in 1 minute.' }]);
    expect(unloadInMs(idle, 31_000)).toBe(30_000);
  });

  test('stay when they are pinned, busy, or without a limit', () => {
    for (const model of [
      { ...idle, pinned: true },
      { ...idle, idleSinceMs: null },
    ]) {
      expect(planIdleUnloads([model], 1e9)).toEqual([]);
      expect(unloadInMs(model, 1e9)).toBeNull();
    }
    expect(unloadInMs({ ...idle, afterMs: null }, 1e9)).toBeNull();
  });
});
