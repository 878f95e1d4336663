import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CanaryArm } from '../../../engine/contract.ts';
import { decideCanary } from '../../../engine/routing/canary/decide-canary.ts';

const arm = (variant: string, facts: Partial<CanaryArm> = {}): CanaryArm => ({
  variant,
  requests: 50,
  failures: 0,
  ttftMs: 40,
  tokenMs: 7,
  ...facts,
});

const decide = (canary: Partial<CanaryArm>, baseline: Partial<CanaryArm> = {}) =>
  decideCanary({
    canary: arm('int4', canary),
    baseline: arm('int8', baseline),
    leastRequests: 50,
    quality: 'int4 loses 4.00% of perplexity.',
  });

describe('decideCanary', () => {
  it('waits for enough answers of both arms, and says how many there are', () => {
    expect(decide({ requests: 12 })).toEqual({ kind: 'wait', reason: '12 of 50 answers by int4 so far.' });
    expect(decide({}, { requests: 3 })).toEqual({ kind: 'wait', reason: '3 of 10 by int8 so far.' });
  });

  it('promotes what is no slower and fails no more, with the figures and the measured quality', () => {
    const { kind, reason } = decide({ tokenMs: 6 });
    expect(kind).toBe('promote');
    expect(reason).toBe(
      'int4: 0 of 50 failed, 40.0 ms to the first token, 6.0 ms a token; int8: 0 of 50 failed, 40.0 ms to the first token, 7.0 ms a token. int4 loses 4.00% of perplexity.',
    );
  });

  it('takes back what fails more often than chance, before it has had all its answers', () => {
    expect(decide({ requests: 8, failures: 4 })).toEqual({
      kind: 'rollback',
      reason: '4 of 8 requests failed on int4, 0 of 50 on int8: more than chance.',
    });
    expect(decide({ requests: 8, failures: 4 }, { requests: 0 }).kind).toBe('rollback');
  });

  it('does not blame it for what fails on both', () => {
    expect(decide({ requests: 10, failures: 4 }, { requests: 100, failures: 40 }).kind).toBe('wait');
    expect(decide({ requests: 20, failures: 2 }, { requests: 100 }).kind).toBe('wait');
  });

  it('takes back what is slower', () => {
    expect(decide({ ttftMs: 81 })).toEqual({
      kind: 'rollback',
      reason: 'int4 takes 81.0 ms to the first token, more than 1.5 times the 40.0 ms of int8.',
    });
    expect(decide({ tokenMs: 10 }).reason).toBe('int4 takes 10.0 ms a token, more than 1.25 times the 7.0 ms of int8.');
    expect(decide({ ttftMs: null, tokenMs: null }).kind).toBe('promote');
  });

  it('never promotes before both have answered enough, and never one that failed every time', () => {
    const facts = fc.nat(200).chain((requests) => fc.record({ requests: fc.constant(requests), failures: fc.nat(requests) }));
    fc.assert(
      fc.property(facts, facts, (canary, baseline) => {
        const { kind } = decide(canary, baseline);
        if (kind === 'promote') expect([canary.requests >= 50, baseline.requests >= 10]).toEqual([true, true]);
        if (canary.failures === 0) expect(kind).not.toBe('rollback');
        if (canary.failures >= 50 && baseline.failures === 0) expect(kind).not.toBe('promote');
      }),
    );
  });
});
