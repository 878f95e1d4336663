// Decides what a waiting request is told about its wait, from the rate at which requests have ended.
// Pure: the replica gives it the times.
import { RATE_WINDOW } from './retry-after.ts';

export interface RecentEnds {
  /** Oldest first. */
  readonly finishedAtMs: readonly number[];
  /** When the first of the requests came that have been under way without a pause. */
  readonly busySinceMs: number;
}

/** Fewer ends of this busy period give no rate. */
const LEAST_ENDS = 2;

/**
 * Time until as many requests as `position` have ended, which is when the request in this place gets a slot; null while unknown.
 * Ends before the present busy period do not count: the pause after them says nothing about the speed.
 */
export function startInMs(position: number, { finishedAtMs, busySinceMs }: RecentEnds, nowMs: number): number | null {
  const ends = finishedAtMs.filter((atMs) => atMs >= busySinceMs).slice(-RATE_WINDOW);
  const [first] = ends;
  if (first === undefined || ends.length < LEAST_ENDS) return null;
  const isWhole = ends.length < RATE_WINDOW;
  const count = isWhole ? ends.length : ends.length - 1;
  const periodMs = nowMs - (isWhole ? busySinceMs : first);
  return Math.round((position * periodMs) / count);
}
