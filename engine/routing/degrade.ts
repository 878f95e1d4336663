// Decides when a target counts as too slow for a latency goal, with hysteresis, so that answers do not change quality to and fro. Pure.

export interface Strain {
  /** Requests that care for latency are kept away. */
  readonly isStrained: boolean;
  /** Since when the expected time has been well within the goal; null: it is not. */
  readonly calmSinceMs: number | null;
}

export const RELAXED: Strain = { isStrained: false, calmSinceMs: null };

/** Share of the goal that is well within it. */
const CALM_SHARE = 0.7;
/** For how long it must be, before answers step back up. */
const CALM_MS = 5_000;

/** `expectedMs`: to the first token of a request that came now. */
export function strainOf(strain: Strain, expectedMs: number, goalMs: number, nowMs: number): Strain {
  if (expectedMs > goalMs) return { isStrained: true, calmSinceMs: null };
  if (!strain.isStrained) return RELAXED;
  if (expectedMs > goalMs * CALM_SHARE) return { isStrained: true, calmSinceMs: null };
  const calmSinceMs = strain.calmSinceMs ?? nowMs;
  return nowMs - calmSinceMs >= CALM_MS ? RELAXED : { isStrained: true, calmSinceMs };
}
