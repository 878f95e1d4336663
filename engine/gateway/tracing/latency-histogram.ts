// Owns the distribution of one request's inter-token latencies in bounded memory, whatever the number of tokens.
// Knows nothing about requests; log-spaced buckets, 16 to each doubling, so that a quantile is off by 2.2% at most.

const PER_OCTAVE = 16;
const LEAST_MS = 1 / 64;
/** From 1/64 ms to 2^17 ms (131 s); what lies beyond counts in the last bucket. */
const BUCKETS = PER_OCTAVE * 23;

export class LatencyHistogram {
  #counts: Uint32Array | null = null;
  #total = 0;

  get count(): number {
    return this.#total;
  }

  /** Counts `times` latencies of `valueMs` each. */
  add(valueMs: number, times: number): void {
    this.#counts ??= new Uint32Array(BUCKETS);
    const bucket = bucketOf(valueMs);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times;
    this.#total += times;
  }

  /** The latency in ms that the share `q` of all does not exceed (nearest rank); null when there is none. */
  quantile(q: number): number | null {
    if (this.#counts === null || this.#total === 0) return null;
    const rank = Math.max(1, Math.ceil(q * this.#total));
    let seen = 0;
    const bucket = this.#counts.findIndex((count) => (seen += count) >= rank);
    return LEAST_MS * 2 ** ((bucket + 0.5) / PER_OCTAVE);
  }
}

function bucketOf(valueMs: number): number {
  if (!(valueMs > LEAST_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.floor(Math.log2(valueMs / LEAST_MS) * PER_OCTAVE));
}
