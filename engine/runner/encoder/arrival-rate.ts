// Owns the measure of how fast texts arrive: an exponentially decayed count. Pure; the clock is the caller's.

export interface ArrivalRate {
  /** Texts, each weighted by exp(-age / WINDOW_MS). */
  readonly count: number;
  readonly atMs: number;
}

/** What lies further back hardly counts: bursts are followed within a few batches. */
const WINDOW_MS = 250;

export const NO_ARRIVALS: ArrivalRate = { count: 0, atMs: 0 };

export function withArrivals(rate: ArrivalRate, texts: number, nowMs: number): ArrivalRate {
  return { count: decayed(rate, nowMs) + texts, atMs: nowMs };
}

/** Mean time between two texts in ms, as far as the last moments tell; Infinity when nothing has come. */
export function meanGapMs(rate: ArrivalRate, nowMs: number): number {
  return WINDOW_MS / decayed(rate, nowMs);
}

function decayed({ count, atMs }: ArrivalRate, nowMs: number): number {
  return count * Math.exp(-Math.max(0, nowMs - atMs) / WINDOW_MS);
}
