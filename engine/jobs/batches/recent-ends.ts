// Owns how many rows of each batch ended lately, in bounded memory. Times are the caller's, monotonic.

const WINDOW_MS = 60_000;
const BUCKET_MS = 1_000;

export class RecentEnds {
  /** By batch: rows that ended in each second. */
  readonly #batches = new Map<string, Map<number, number>>();

  add(batch: string, atMs: number): void {
    const seconds = this.#batches.get(batch) ?? new Map<number, number>();
    this.#batches.set(batch, seconds);
    const second = Math.floor(atMs / BUCKET_MS);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
    for (const old of seconds.keys()) if (old < second - WINDOW_MS / BUCKET_MS) seconds.delete(old);
  }

  /** Rows a second over the last minute, or since the first of it; null without any. */
  rate(batch: string, nowMs: number): number | null {
    const now = Math.floor(nowMs / BUCKET_MS);
    const recent = [...(this.#batches.get(batch) ?? [])].filter(([second]) => second > now - WINDOW_MS / BUCKET_MS);
    if (recent.length === 0) return null;
    const count = recent.reduce((sum, [, ended]) => sum + ended, 0);
    const first = Math.min(...recent.map(([second]) => second));
    return count / Math.max(1, now - first + 1);
  }

  forget(batch: string): void {
    this.#batches.delete(batch);
  }
}
