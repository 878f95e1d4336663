// Synthetic arrivals and texts, and whose servers may be sent a load.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadTestRequest } from '../../engine/contract.ts';
import { planArrivals } from '../../engine/loadtest/arrivals.ts';
import { checkRequest } from '../../engine/loadtest/check-request.ts';
import { promptText, scaleOf } from '../../engine/loadtest/prompt-text.ts';
import { baseAddress, isPrivate } from '../../engine/loadtest/target.ts';

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PROFILE = { model: 'm', perSecond: 5, promptTokens: 100, answerTokens: 10 };
const WINDOW_MS = 600_000;

describe('planArrivals', () => {
  it('has the mean and the spread of a Poisson process', () => {
    const times = planArrivals({ kind: 'poisson', ...PROFILE }, { factor: 2, windowMs: WINDOW_MS, random: seeded(1) }).map(
      ({ atMs }) => atMs,
    );
    // Within four standard deviations of 6,000.
    expect(Math.abs(times.length - 6_000)).toBeLessThan(4 * Math.sqrt(6_000));
    const gaps = times.slice(1).map((atMs, i) => atMs - (times[i] ?? 0));
    const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((total, each) => total + (each - mean) ** 2, 0) / gaps.length);
    expect(deviation / mean).toBeGreaterThan(0.9);
    expect(deviation / mean).toBeLessThan(1.1);
  });

  it('has ten times as many in the bursts', () => {
    const times = planArrivals({ kind: 'bursts', ...PROFILE }, { factor: 1, windowMs: WINDOW_MS, random: seeded(2) }).map(
      ({ atMs }) => atMs,
    );
    const inBurst = times.filter((atMs) => atMs % 60_000 >= 25_000 && atMs % 60_000 < 30_000).length;
    const ratio = inBurst / 5 / ((times.length - inBurst) / 55);
    expect(ratio).toBeGreaterThan(8.5);
    expect(ratio).toBeLessThan(11.5);
  });
});

describe('promptText', () => {
  const scale = scaleOf({ words: 8, tokens: 38 }, { words: 72, tokens: 102 });

  it('has the wanted length and shares no more than it should', () => {
    expect(scale).toEqual({ perWord: 1, overhead: 30 });
    const lengths = fc.tuple(fc.integer({ min: 40, max: 2_000 }), fc.nat(2_000), fc.nat(), fc.nat());
    fc.assert(
      fc.property(lengths, ([promptTokens, sharedTokens, one, other]) => {
        const of = (seed: number): string[] => promptText({ promptTokens, sharedTokens, group: 'g', seed }, scale).split(' ');
        const [a, b] = [of(one), of(other)];
        expect(a.length + 30).toBe(promptTokens);
        const shared = Math.min(a.length - 1, Math.max(0, sharedTokens - 30));
        expect(a.slice(0, shared)).toEqual(b.slice(0, shared));
      }),
    );
    const [a, b] = [1, 2].map((seed) => promptText({ promptTokens: 200, sharedTokens: 0, group: 'g', seed }, scale));
    expect(a?.slice(0, 40)).not.toBe(b?.slice(0, 40));
  });
});

describe('whose server', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
  ])('%s is one of the own network', (address) => expect(isPrivate(address)).toBe(true));
  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:4860::1', '::ffff:8.8.8.8', '0.0.0.0'])('%s is not', (address) =>
    expect(isPrivate(address)).toBe(false),
  );

  it('has an address without the version', () => {
    expect(baseAddress('http://10.0.0.1:8000/v1/')).toBe('http://10.0.0.1:8000');
    for (const wrong of ['ftp://10.0.0.1', '10.0.0.1', 'http://user:pass@10.0.0.1', ''])
      expect(() => baseAddress(wrong)).toThrow('no address');
  });

  const REQUEST: LoadTestRequest = { profile: { kind: 'recorded' }, factor: 2, minutes: 5, url: null, model: null, key: null };
  it('is refused on the internet unless it is said to be one’s own', async () => {
    await expect(checkRequest({ ...REQUEST, url: 'http://8.8.8.8' }, { public: false })).rejects.toThrow('on the internet');
    expect(await checkRequest({ ...REQUEST, url: 'http://8.8.8.8/v1' }, { public: true })).toMatchObject({ url: 'http://8.8.8.8' });
    for (const minutes of [0, 61, Number.NaN])
      await expect(checkRequest({ ...REQUEST, minutes }, { public: false })).rejects.toThrow('minutes');
  });
});
