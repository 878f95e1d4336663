// Owns mergeable histograms of times: how they count, merge, answer percentiles and lie in the database as a few bytes.
// NOTE: log-spaced buckets after DDSketch (Masson, Rim, Lee 2019, arXiv 1908.10693): a percentile is off by at most RELATIVE_ERROR.

/** Bound of a percentile's error, relative to it, from LEAST_MS to MOST_MS; merging adds none. */
export const RELATIVE_ERROR = 0.02;
/** Shorter times share bucket 0, which answers 0; longer ones share the last. */
export const LEAST_MS = 0.01;
const MOST_MS = 7 * 86_400_000;

const GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GROWTH = Math.log(GROWTH);
const BUCKETS = bucketOf(MOST_MS) + 1;

/** Bucket 0: shorter than LEAST_MS; bucket i: from LEAST_MS·GROWTH^(i-1) to LEAST_MS·GROWTH^i. */
function bucketOf(valueMs: number): number {
  if (!(valueMs >= LEAST_MS)) return 0;
  return 1 + Math.floor(Math.log(Math.min(valueMs, MOST_MS) / LEAST_MS) / LOG_GROWTH);
}

/** The value that is at most RELATIVE_ERROR away from either end of the bucket. */
const valueOf = (bucket: number): number => (bucket === 0 ? 0 : (LEAST_MS * GROWTH ** (bucket - 1) * 2 * GROWTH) / (GROWTH + 1));

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  /** Buckets from `#first` to `#last` may hold counts; no others do. */
  #first = BUCKETS;
  #last = -1;

  add(valueMs: number): void {
    this.#addCount(bucketOf(valueMs), 1);
  }

  /** Adds what `encode` made. Other bytes give counts without meaning, but nothing fails. */
  addEncoded(bytes: Uint8Array): void {
    let bucket = 0;
    let value = 0;
    let scale = 1;
    let isDistance = true;
    // One loop over the bytes: this is where series of hours and days spend their time.
    for (const byte of bytes) {
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte >= 128) continue;
      if (isDistance) bucket += value;
      else this.#addCount(bucket, value);
      isDistance = !isDistance;
      value = 0;
      scale = 1;
    }
  }

  /** The values of nearest rank: each `share` of all values are no larger, but for the error. Nulls when it is empty. */
  quantiles(shares: readonly number[]): readonly (number | null)[] {
    let total = 0;
    for (let bucket = this.#first; bucket <= this.#last; bucket++) total += this.#counts[bucket] ?? 0;
    return shares.map((share) => (total === 0 ? null : this.#valueAt(Math.max(1, Math.ceil(share * total)))));
  }

  /** Pairs of (distance to the bucket before, count), each number in base 128, low part first. Null when it is empty. */
  encode(): Buffer | null {
    const bytes: number[] = [];
    let before = 0;
    for (let bucket = this.#first; bucket <= this.#last; bucket++) {
      const count = this.#counts[bucket] ?? 0;
      if (count === 0) continue;
      pushNumber(bytes, bucket - before);
      pushNumber(bytes, count);
      before = bucket;
    }
    return bytes.length === 0 ? null : Buffer.from(bytes);
  }

  clear(): void {
    this.#counts.fill(0, this.#first, this.#last + 1);
    this.#first = BUCKETS;
    this.#last = -1;
  }

  #addCount(bucket: number, count: number): void {
    if (bucket >= BUCKETS) return;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    if (bucket < this.#first) this.#first = bucket;
    if (bucket > this.#last) this.#last = bucket;
  }

  #valueAt(rank: number): number {
    let bucket = this.#first;
    for (let seen = this.#counts[bucket] ?? 0; seen < rank && bucket < this.#last; seen += this.#counts[bucket] ?? 0) bucket++;
    return valueOf(bucket);
  }
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

/** What a table's upsert calls: both in one. */
export function mergeEncoded(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  if (a === null || b === null) return a ?? b;
  const merged = new Histogram();
  merged.addEncoded(a);
  merged.addEncoded(b);
  return merged.encode();
}
