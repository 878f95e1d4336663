import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSlo } from '../../../engine/ledger/alerts/slo.ts';

describe('defaultSlo', () => {
  it('leaves room for company', () => {
    expect(defaultSlo({ prefillTokensPerSecond: 512, decodeTokensPerSecond: 10 })).toEqual({
      ttftMs: 4_000,
      interTokenMs: 400,
      totalMs: 110_000,
    });
  });

  it('asks of a fast machine no more than anybody notices, and nothing of what was not measured', () => {
    expect(defaultSlo({ prefillTokensPerSecond: 1e6, decodeTokensPerSecond: 1e5 })).toEqual({
      ttftMs: 200,
      interTokenMs: 50,
      totalMs: 1_000,
    });
    expect(defaultSlo({ prefillTokensPerSecond: 1_000, decodeTokensPerSecond: null })).toEqual({
      ttftMs: 2_100,
      interTokenMs: null,
      totalMs: null,
    });
    expect(defaultSlo({ prefillTokensPerSecond: 0, decodeTokensPerSecond: NaN })).toEqual({
      ttftMs: null,
      interTokenMs: null,
      totalMs: null,
    });
  });

  it('never sets an objective below four times what was measured, and at most a tenth above', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 1e5, noNaN: true }), (decodeTokensPerSecond) => {
        const { interTokenMs } = defaultSlo({ prefillTokensPerSecond: null, decodeTokensPerSecond });
        const exact = Math.max(50, 4_000 / decodeTokensPerSecond);
        expect(interTokenMs).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
        expect(interTokenMs).toBeLessThanOrEqual(exact * 1.1 + 1);
      }),
    );
  });
});
