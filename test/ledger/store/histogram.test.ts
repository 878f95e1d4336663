import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram, LEAST_MS, mergeEncoded, RELATIVE_ERROR } from '../../../engine/ledger/store/histogram.ts';

const times = fc.array(fc.double({ min: LEAST_MS, max: 1e8, noNaN: true }), { minLength: 1, maxLength: 200 });

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe('Histogram', () => {
  it('answers percentiles of nearest rank within its error', () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const [answer] = histogramOf(values).quantiles([share]);
        const exact = values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? Number.NaN;
        expect(Math.abs((answer ?? Number.NaN) - exact)).toBeLessThanOrEqual(exact * RELATIVE_ERROR * (1 + 1e-9));
      }),
    );
  });

  it('merges to what all values together give, byte for byte', () => {
    fc.assert(
      fc.property(times, times, (left, right) => {
        const merged = mergeEncoded(histogramOf(left).encode(), histogramOf(right).encode());
        expect(merged).toEqual(histogramOf([...left, ...right]).encode());
      }),
    );
  });

  it('keeps counts beyond one byte', () => {
    const many = histogramOf(Array.from({ length: 20_000 }, (_, at) => (at < 19_000 ? 5 : 500)));
    const read = new Histogram();
    read.addEncoded(many.encode() ?? new Uint8Array());
    expect(read.encode()).toEqual(many.encode());
    expect(read.quantiles([0.94, 0.96]).map((value) => Math.round(value ?? 0))).toEqual([5, 500].map((ms) => expect.closeTo(ms, -1)));
  });

  it('has no percentiles without values, and none of them fails', () => {
    expect(new Histogram().quantiles([0.5])).toEqual([null]);
    expect(new Histogram().encode()).toBeNull();
    expect(histogramOf([0, -1, Number.NaN]).quantiles([1])).toEqual([0]);
    expect(histogramOf([Number.POSITIVE_INFINITY]).quantiles([1])[0]).toBeGreaterThan(86_400_000);
  });

  it('reads any bytes without failing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const histogram = new Histogram();
        histogram.addEncoded(bytes);
        expect(histogram.quantiles([0.5])).toHaveLength(1);
      }),
    );
  });

  it('is empty after it was cleared', () => {
    const histogram = histogramOf([1, 100, 10_000]);
    histogram.clear();
    expect(histogram.encode()).toBeNull();
  });
});
