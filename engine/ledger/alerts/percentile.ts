/** The value at a share of the sorted list, by nearest rank: the least value that `share` of all do not exceed. At least one value. */
export function atPercentile(values: readonly number[], share: number): number | null {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? null;
}
