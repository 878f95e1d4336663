import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideAdmission, type KeyUsage } from '../../engine/access/admission.ts';
import { decideBudget, NOTHING_SPENT } from '../../engine/access/budget.ts';
import { filled, fullBucket, taken, waitMs } from '../../engine/access/rate.ts';
import { wish } from './opened.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 30, 22);

describe('a rate', () => {
  it('lets no more through in any span than the rate allows, plus what the bucket held', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 1, max: 50 })), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), steps, (perMinute, asks) => {
        let bucket = fullBucket(perMinute, 0);
        let [nowMs, passed] = [0, 0];
        for (const [pauseMs, amount] of asks) {
          nowMs += pauseMs;
          bucket = filled(bucket, perMinute, nowMs);
          if (amount > perMinute || waitMs(bucket, perMinute, amount) > 0) continue;
          bucket = taken(bucket, amount);
          passed += amount;
        }
        expect(passed).toBeLessThanOrEqual(perMinute + (nowMs * perMinute) / MINUTE + 1e-6);
      }),
    );
  });

  it('is there again after the wait that it names, and not before', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6000 }),
        fc.integer({ min: 0, max: 9000 }),
        fc.integer({ min: 1, max: 6000 }),
        (perMinute, used, amount) => {
          const bucket = taken(fullBucket(perMinute, 0), used);
          const wait = waitMs(bucket, perMinute, amount);
          expect(waitMs(filled(bucket, perMinute, wait), perMinute, amount)).toBeLessThanOrEqual(1);
          if (wait > 1) expect(waitMs(filled(bucket, perMinute, wait - 2), perMinute, amount)).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('goes on when the clock is set back', () => {
    expect(filled({ level: 3, atMs: 1000 }, 60, 0).level).toBe(3);
  });
});

describe('a budget', () => {
  const limits = (changes: object) => wish({ limits: changes }).limits;
  const spent = (todayUsd: number, monthUsd: number) => ({ day: '2026-11-30', month: '2026-11', todayUsd, monthUsd });

  it('leaves what is less of day and month, and never blocks local models by money spent upstream', () => {
    expect(decideBudget(limits({}), spent(5, 5), NOW)).toEqual({ upstreamUsdLeft: null, isDegraded: false, blocked: null });
    expect(decideBudget(limits({ dailyUsd: 10, monthlyUsd: 12 }), spent(5, 11), NOW).upstreamUsdLeft).toBe(1);
    expect(decideBudget(limits({ dailyUsd: 10 }), spent(11, 11), NOW)).toEqual({ upstreamUsdLeft: 0, isDegraded: false, blocked: null });
  });

  it('that counts local cost degrades before it blocks', () => {
    const counting = limits({ dailyUsd: 10, monthlyUsd: 100, countsLocalCost: true });
    expect(decideBudget(counting, spent(7.9, 7.9), NOW)).toMatchObject({ isDegraded: false, blocked: null });
    expect(decideBudget(counting, spent(8, 8), NOW)).toMatchObject({ isDegraded: true, blocked: null });
    expect(decideBudget(counting, spent(10, 10), NOW).blocked).toEqual({ limit: 'dailyUsd', untilMs: Date.UTC(2026, 11, 1) });
    expect(decideBudget(counting, spent(1, 100), NOW).blocked).toEqual({ limit: 'monthlyUsd', untilMs: Date.UTC(2026, 11, 1) });
  });

  it('begins anew with each day and month of UTC', () => {
    const counting = limits({ dailyUsd: 10, monthlyUsd: 100, countsLocalCost: true });
    expect(decideBudget(counting, spent(10, 50), NOW + 3 * 3_600_000)).toEqual({ upstreamUsdLeft: 10, isDegraded: false, blocked: null });
  });
});

describe('decideAdmission', () => {
  const FREE = { upstreamUsdLeft: null, isDegraded: false, blocked: null };
  const usage = (changes: Partial<KeyUsage> = {}): KeyUsage => ({
    requests: fullBucket(60, NOW),
    tokens: fullBucket(600, NOW),
    running: 0,
    ...changes,
  });
  const decide = (limits: object, now: KeyUsage, foreseenTokens = 10) =>
    decideAdmission({ keyId: 'k', limits: wish({ limits }).limits, usage: now, budget: FREE, foreseenTokens }, NOW);

  it('counts a request, and tells OpenAI’s headers what is left', () => {
    const admission = decide({ requestsPerMinute: 60, tokensPerMinute: 600 }, usage());
    expect(admission).toMatchObject({ kind: 'admitted', usage: { running: 1 } });
    expect(admission.headers).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '600',
      'x-ratelimit-remaining-tokens': '590',
      'x-ratelimit-reset-tokens': '1s',
    });
    expect(decide({}, usage()).headers).toEqual({});
  });

  it('names the limit that refuses, and when to come back', () => {
    const empty = { level: 0, atMs: NOW };
    expect(decide({ requestsPerMinute: 30 }, usage({ requests: empty }))).toMatchObject({
      kind: 'refused',
      refusal: { code: 'rate_limit_exceeded', limit: 'requestsPerMinute', retryAfterSeconds: 2 },
    });
    expect(decide({ tokensPerMinute: 600 }, usage({ tokens: { level: -590, atMs: NOW } }))).toMatchObject({
      refusal: { limit: 'tokensPerMinute', retryAfterSeconds: 60 },
    });
    expect(decide({ concurrency: 2 }, usage({ running: 2 }))).toMatchObject({ refusal: { limit: 'concurrency' } });
    expect(decide({ concurrency: 2 }, usage({ running: 1 })).kind).toBe('admitted');
  });

  it('lets a prompt in that is longer than a minute’s tokens once the whole minute is there', () => {
    const admission = decide({ tokensPerMinute: 600 }, usage(), 5000);
    expect(admission).toMatchObject({ kind: 'admitted', usage: { tokens: { level: -4400 } } });
  });

  it('refuses over a spent budget until the next begins', () => {
    const blocked = { limit: 'monthlyUsd' as const, untilMs: NOW + 7_200_000 };
    const question = { keyId: 'k', limits: wish().limits, usage: usage(), budget: { ...FREE, blocked }, foreseenTokens: 0 };
    expect(decideAdmission(question, NOW)).toMatchObject({
      refusal: { code: 'insufficient_quota', limit: 'monthlyUsd', retryAfterSeconds: 7200 },
    });
    expect(NOTHING_SPENT).toMatchObject({ todayUsd: 0, monthUsd: 0 });
  });
});
