import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureRouter, type Outcome } from '../../../engine/routing/complexity/metrics.ts';

/** In the order of falling score. */
function ranked(...pairs: readonly (readonly [weak: number, strong: number])[]): readonly Outcome[] {
  return pairs.map(([weak, strong], index) => ({ score: pairs.length - index, weak, strong }));
}

describe('measureRouter', () => {
  it('agrees with a case worked by hand', () => {
    // Gains 1, 1, 0, 0: PGR at 0, 1/4, 1/2, 3/4, 1 is 0, 1/2, 1, 1, 1; the trapezoids are 1/16 + 3/16 + 1/4 + 1/4 = 3/4.
    const metrics = measureRouter(ranked([0, 1], [0, 1], [1, 1], [1, 1]));
    expect(metrics).toMatchObject({ rows: 4, weakAccuracy: 0.5, strongAccuracy: 1, cpt50: 0.25, cpt80: 0.5, strongShareAt95: 0.5 });
    expect(metrics.apgr).toBeCloseTo(0.75, 12);
    expect(metrics.savingAt95).toBeCloseTo(0.475, 12);
    // 40% saved is a share of 0.5789: two of the four rows.
    expect(metrics.accuracyAtSaving40).toBe(1);
  });

  it('counts a loss where the weak model alone was right', () => {
    // Gains -1, 1, 1: PGR is 0, -1, 0, 1; the trapezoids are (-1/2 - 1/2 + 1/2) / 3.
    const metrics = measureRouter(ranked([1, 0], [0, 1], [0, 1]));
    expect(metrics.apgr).toBeCloseTo(-1 / 6, 12);
    expect(metrics.cpt50).toBe(1);
  });

  it('gives 0.5 to equal scores, whatever their order', () => {
    const rows = ranked([0, 1], [0, 1], [1, 1], [1, 1], [1, 0]).map((row) => ({ ...row, score: 1 }));
    expect(measureRouter(rows).apgr).toBeCloseTo(0.5, 12);
  });

  it('has no figure over a gain that is not there', () => {
    const metrics = measureRouter(ranked([1, 1], [1, 0]));
    expect(metrics).toMatchObject({ apgr: null, cpt50: null, cpt80: null, strongShareAt95: 0, savingAt95: 0.95 });
  });

  it('turns its area round with the order: a ranking and its reverse share 1', () => {
    const pair = fc.record({ weak: fc.boolean(), strong: fc.boolean() });
    fc.assert(
      fc.property(fc.array(pair, { minLength: 2, maxLength: 40 }), (pairs) => {
        const rows = ranked(...pairs.map(({ weak, strong }) => [Number(weak), Number(strong)] as const));
        const [forth, back] = [measureRouter(rows), measureRouter(rows.map((row) => ({ ...row, score: -row.score })))];
        fc.pre(forth.apgr !== null && back.apgr !== null);
        expect((forth.apgr ?? 0) + (back.apgr ?? 0)).toBeCloseTo(1, 9);
        expect(forth.cpt50 ?? 0).toBeLessThanOrEqual(forth.cpt80 ?? 1);
      }),
    );
  });
});
