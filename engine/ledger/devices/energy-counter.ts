// Turns a counter of energy into power. Pure.

export interface EnergyReading {
  readonly microjoules: number;
  /** Monotonic. */
  readonly atMs: number;
}

/** Mean power in watts between two readings. A counter below the earlier one has wrapped at `wrapsAt`, or was reset: null where that is unknown. */
export function powerBetween(before: EnergyReading, now: EnergyReading, wrapsAt: number | null): number | null {
  const elapsedMs = now.atMs - before.atMs;
  if (elapsedMs <= 0) return null;
  const used = now.microjoules - before.microjoules;
  if (used >= 0) return used / 1000 / elapsedMs;
  return wrapsAt === null ? null : (used + wrapsAt) / 1000 / elapsedMs;
}
