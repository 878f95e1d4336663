// Decides when a refused client should come back, from the rate at which requests have ended.
// Pure: the replica gives it the times.

/** How many of the last ends count. */
export const RATE_WINDOW = 32;
const UNKNOWN_SECONDS = 5;
const MAX_SECONDS = 120;

/**
 * Seconds until one of `waiting` places should be free.
 * `finishedAtMs` are the times of the last ends, oldest first; a single one gives no rate.
 */
export function retryAfterSeconds(waiting: number, finishedAtMs: readonly number[], nowMs: number): number {
  const recent = finishedAtMs.slice(-RATE_WINDOW);
  const first = recent[0];
  if (first === undefined || recent.length < 2) return UNKNOWN_SECONDS;
  const perMs = (recent.length - 1) / Math.max(1, nowMs - first);
  // Half the queue: places come free one by one, and refused clients should not all return to a full queue.
  const seconds = Math.ceil(Math.max(1, waiting / 2) / perMs / 1000);
  return Math.min(MAX_SECONDS, Math.max(1, seconds));
}
