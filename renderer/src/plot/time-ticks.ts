// Names of moments on a time axis. Pure.

interface Ends {
  readonly min?: number | null | undefined;
  readonly max?: number | null | undefined;
}

const DAY_MS = 86_400_000;

/** `14:05`, with seconds where ticks are closer than a minute; `24 Nov` on an axis of more than two days. */
export function timeTicks(ticks: readonly number[], scale: Ends | undefined): string[] {
  const lengthMs = (scale?.max ?? 0) - (scale?.min ?? 0);
  const gapMs = (ticks[1] ?? Infinity) - (ticks[0] ?? 0);
  return ticks.map((at) => {
    const date = new Date(at);
    if (lengthMs > 2 * DAY_MS) return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
    return date.toLocaleTimeString('en-GB').slice(0, gapMs < 60_000 ? 8 : 5);
  });
}
