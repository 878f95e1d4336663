// The entries in memory: bytes, ages, order of use, and models that are gone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CacheEntry, EntryCache, type EntryLimits } from '../../../engine/routing/cache/entry-cache.ts';

interface Held {
  readonly cache: EntryCache;
  readonly removed: string[];
  limits: EntryLimits;
  nowMs: number;
}

function held(limits: Partial<EntryLimits> = {}): Held {
  const removed: string[] = [];
  const state = { limits: { maxBytes: 1e6, maxAgeMs: 1000, ...limits }, nowMs: 0, removed };
  const cache = new EntryCache({ limits: () => state.limits, now: () => state.nowMs, onRemove: ({ key }) => removed.push(key) });
  return Object.assign(state, { cache });
}

const entry = (key: string, size = 100, more: Partial<CacheEntry> = {}): CacheEntry => ({
  key,
  identity: 'm',
  kind: 'row',
  createdMs: 0,
  value: new Uint8Array(size),
  ...more,
});
/** What an entry of 100 bytes takes. */
const ONE = (() => {
  const { cache } = held();
  cache.put(entry('a'));
  return cache.bytes;
})();

describe('entries', () => {
  it('leaves the least recently used behind', () => {
    const { cache, removed } = held({ maxBytes: 16 * ONE });
    const keys = Array.from({ length: 16 }, (_, at) => `k${at}`);
    for (const key of keys) cache.put(entry(key));
    cache.get('k0');
    cache.put(entry('new'));
    expect(removed).toEqual(['k1']);
    expect(cache.get('k0')).toBeDefined();
  });

  it('takes no entry that would push out everything else, none that is too old, and gives none that has become so', () => {
    const state = held({ maxBytes: 16 * ONE });
    expect(state.cache.put(entry('large', 101))).toBe(false);
    expect(state.cache.put(entry('old', 1, { createdMs: -1000 }))).toBe(false);
    state.cache.put(entry('a'));
    state.nowMs = 999;
    expect(state.cache.get('a')).toBeDefined();
    state.nowMs = 1000;
    expect(state.cache.get('a')).toBeUndefined();
    expect(state.removed).toEqual(['a']);
  });

  it('lets nothing go for an entry of an earlier run', () => {
    const { cache, removed } = held({ maxBytes: 16 * ONE });
    for (let at = 0; at < 16; at++) cache.put(entry(`k${at}`));
    expect(cache.restore(entry('earlier'))).toBe(false);
    cache.delete('k3');
    expect(cache.restore(entry('k4', 7))).toBe(false);
    expect(cache.restore(entry('earlier'))).toBe(true);
    expect(removed).toEqual(['k3']);
  });

  it('drops the entries of models that are gone, and no others', () => {
    const { cache, removed } = held();
    cache.put(entry('a', 1, { identity: 'gone' }));
    cache.put(entry('b'));
    expect(cache.sweep(new Set(['m']))).toBe(1);
    expect(cache.sweep(new Set(['m']))).toBe(0);
    expect([removed, cache.count]).toEqual([['a'], 1]);
  });

  it('counts its bytes exactly, and stays within its limit', () => {
    const move = fc.oneof(
      fc.record({ put: fc.constantFrom('a', 'b', 'c', 'd', 'e'), size: fc.nat(400) }),
      fc.record({ get: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
      fc.record({ delete: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ maxBytes: fc.nat(40 * ONE) }),
    );
    fc.assert(
      fc.property(fc.array(move), (moves) => {
        const state = held({ maxBytes: 20 * ONE });
        const model = new Map<string, number>();
        for (const step of moves) {
          if ('put' in step && state.cache.put(entry(step.put, step.size))) model.set(step.put, step.size);
          if ('get' in step) state.cache.get(step.get);
          if ('delete' in step) state.cache.delete(step.delete);
          if ('maxBytes' in step) {
            state.limits = { ...state.limits, maxBytes: step.maxBytes };
            state.cache.trim();
          }
          for (const key of state.removed.splice(0)) model.delete(key);
          const bytes = [...model.values()].reduce((total, size) => total + size + ONE - 100, 0);
          expect([state.cache.bytes, state.cache.count]).toEqual([bytes, model.size]);
          expect(bytes).toBeLessThanOrEqual(state.limits.maxBytes);
        }
      }),
    );
  });
});
