// Decides how long a download must wait so as to keep under a rate. Pure.

/** Time to wait, in ms, before more is read: `bytes` came in `elapsedMs`, and at most `bytesPerSecond` are allowed on average. */
export function waitForRate(bytes: number, elapsedMs: number, bytesPerSecond: number): number {
  return Math.max(0, (bytes / bytesPerSecond) * 1000 - elapsedMs);
}
