// Round ends of an axis. Pure.

/** The next of 1, 2, 5 × 10ⁿ at or above `value`, so that an axis changes seldom while its values move; at least `least`. */
export function niceMax(value: number, least = 1): number {
  if (!(value > least)) return least;
  const power = 10 ** Math.floor(Math.log10(value));
  const mantissa = value / power;
  const nice = [1, 2, 5, 10].find((step) => mantissa <= step * (1 + 1e-9)) ?? 10;
  return nice * power;
}

/** The greatest of all that is drawn; 0 without a value. */
export const greatest = (lines: readonly (readonly (number | null)[])[]): number =>
  lines.reduce((max, line) => line.reduce<number>((most, value) => Math.max(most, value ?? 0), max), 0);

/** Mean of the known values in each of `count` equal parts of the range; null where a part has none. */
export function bucketMeans(atMs: readonly number[], values: readonly (number | null)[], range: BucketRange): (number | null)[] {
  const sums = Array.from({ length: range.count }, () => ({ sum: 0, known: 0 }));
  atMs.forEach((at, index) => {
    const value = values[index] ?? null;
    const bucket = sums[Math.floor(((at - range.fromMs) * range.count) / (range.toMs - range.fromMs))];
    if (value === null || bucket === undefined) return;
    bucket.sum += value;
    bucket.known++;
  });
  return sums.map(({ sum, known }) => (known === 0 ? null : sum / known));
}

export interface BucketRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}
