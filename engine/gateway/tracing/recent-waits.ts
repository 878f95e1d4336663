// Owns the queue waits of the last minutes, in bounded memory, for the Now screen.
// Knows nothing about requests; times are the caller's.

const WINDOW_MS = 5 * 60_000;
/** Under more load the figures cover less time. */
const MOST = 2_048;

interface Wait {
  readonly atMs: number;
  readonly waitMs: number;
}

export class RecentWaits {
  #waits: Wait[] = [];

  add(atMs: number, waitMs: number): void {
    this.#waits.push({ atMs, waitMs });
    // Cut in slices: moving the list down for each request would cost more than the rest.
    if (this.#waits.length > MOST * 1.25) this.#waits = this.#waits.slice(-MOST);
  }

  /** Quantiles in ms (nearest rank); nulls without requests. */
  quantiles(nowMs: number): { readonly p50: number | null; readonly p99: number | null } {
    this.#waits = this.#waits.filter(({ atMs }) => atMs > nowMs - WINDOW_MS);
    const sorted = this.#waits.map(({ waitMs }) => waitMs).sort((a, b) => a - b);
    const at = (share: number): number | null => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
