/** How long to wait before an engine that has ended is started again, in ms: not at all at first, then longer with each end in
 *  the last ten minutes, to half a minute at most. `endsMs`: when it ended, the last included. */
export function restartDelayMs(endsMs: readonly number[], nowMs: number): number {
  const recent = endsMs.filter((endMs) => endMs > nowMs - RECENT_MS && endMs <= nowMs).length;
  return recent <= 1 ? 0 : Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (recent - 2));
}

const RECENT_MS = 600_000;
const SHORTEST_MS = 500;
const LONGEST_MS = 30_000;
