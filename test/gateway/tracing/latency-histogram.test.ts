import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../../engine/gateway/tracing/latency-histogram.ts';

/** Nearest rank, from the values themselves. */
function exactQuantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? NaN;
}

describe('LatencyHistogram', () => {
  it('is within 2.2% of the exact quantile', () => {
    const latencies = fc.array(fc.double({ min: 0.05, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(latencies, fc.constantFrom(0, 0.5, 0.9, 0.99, 1), (values, q) => {
        const histogram = new LatencyHistogram();
        for (const value of values) histogram.add(value, 1);
        const exact = exactQuantile(values, q);
        expect(Math.abs((histogram.quantile(q) ?? NaN) / exact - 1)).toBeLessThan(0.0221);
      }),
    );
  });

  it('counts several at once, and has no quantile without any', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.quantile(0.5)).toBeNull();
    histogram.add(10, 98);
    histogram.add(1_000, 2);
    expect(histogram.count).toBe(100);
    expect(histogram.quantile(0.5)).toBeCloseTo(10, 0);
    expect(histogram.quantile(0.99)).toBeGreaterThan(970);
  });

  it('takes what no clock should give', () => {
    const histogram = new LatencyHistogram();
    for (const value of [0, -5, Number.NaN, Number.POSITIVE_INFINITY, 1e12]) histogram.add(value, 1);
    expect(histogram.count).toBe(5);
    expect(histogram.quantile(1)).toBeGreaterThan(100_000);
    expect(histogram.quantile(0.5)).toBeLessThan(0.02);
  });
});
