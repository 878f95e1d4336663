// Owns mergeable histograms of times: how they count, merge, answer percentiles and lie in the database as a few bytes.
// NOTE: log-spaced buckets after DDSketch (Masson, Rim, Lee 2019, arXiv 1908.10693): a percentile is off by at most RELATIVE_ERROR.

/** Bound of a percentile's error, relative to it, from LEAST_MS to MOST_MS; merging adds none. */
export const RELATIVE_ERROR = 0.02;
/** Shorter times share bucket 0, which answers 0; longer ones share the last. */
export const LEAST_MS = 0.01;
export const MOST_MS = 7 * 86_400_000;

const GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GROWTH = Math.log(GROWTH);

/** Count of each bucket that is not empty. */
export type Histogram = Map<number, number>;

/** Bucket 0: shorter than LEAST_MS; bucket i: from LEAST_MS·GROWTH^(i-1) to LEAST_MS·GROWTH^i. */
function bucketOf(valueMs: number): number {
  if (!(valueMs >= LEAST_MS)) return 0;
  return 1 + Math.floor(Math.log(Math.min(valueMs, MOST_MS) / LEAST_MS) / LOG_GROWTH);
}

/** The value that is at most RELATIVE_ERROR away from either end of the bucket. */
const valueOf = (bucket: number): number => (bucket === 0 ? 0 : (LEAST_MS * GROWTH ** (bucket - 1) * 2 * GROWTH) / (GROWTH + 1));

export function addValue(histogram: Histogram, valueMs: number): void {
  addCount(histogram, bucketOf(valueMs), 1);
}

function addCount(histogram: Histogram, bucket: number, count: number): void {
  histogram.set(bucket, (histogram.get(bucket) ?? 0) + count);
}

/** The value of nearest rank: `share` of all values are no larger, but for the error. Null when it is empty. */
export function quantile(histogram: Histogram, share: number): number | null {
  const total = histogram.values().reduce((sum, count) => sum + count, 0);
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (const [bucket, count] of [...histogram].toSorted(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= rank) return valueOf(bucket);
  }
  return null;
}

/** Pairs of (distance to the bucket before, count), each number in base 128, low part first. Null when it is empty. */
export function encodeHistogram(histogram: Histogram): Buffer | null {
  if (histogram.size === 0) return null;
  const bytes: number[] = [];
  let before = 0;
  for (const [bucket, count] of [...histogram].toSorted(([a], [b]) => a - b)) {
    pushNumber(bytes, bucket - before);
    pushNumber(bytes, count);
    before = bucket;
  }
  return Buffer.from(bytes);
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

/** Adds what `encodeHistogram` made. Bytes that it did not make give counts without meaning, but nothing fails. */
export function addEncoded(histogram: Histogram, bytes: Uint8Array | null): void {
  if (bytes === null) return;
  let bucket = 0;
  for (let at = 0; at < bytes.length;) {
    const distance = readNumber(bytes, at);
    const count = readNumber(bytes, distance.next);
    bucket += distance.value;
    addCount(histogram, bucket, count.value);
    at = count.next;
  }
}

function readNumber(bytes: Uint8Array, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < bytes.length; at++, scale *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte % 128) * scale;
    if (byte < 128) return { value, next: at + 1 };
  }
  return { value, next: bytes.length };
}

/** What a table's upsert calls: both in one. */
export function mergeEncoded(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  if (a === null || b === null) return a ?? b;
  const merged: Histogram = new Map();
  addEncoded(merged, a);
  addEncoded(merged, b);
  return encodeHistogram(merged);
}
