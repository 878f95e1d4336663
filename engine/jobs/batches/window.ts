// Owns what a batch's completion window means: `24h`, or another whole number of hours or days. Pure.
import { EngineError } from '../../errors.ts';

const HOUR_MS = 3_600_000;
const UNITS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS };
const LONGEST_MS = 30 * 24 * HOUR_MS;

/** @throws EngineError `invalid_request` */
export function windowMs(window: string): number {
  const [, count = '0', unit = ''] = /^(\d{1,4})([hd])$/.exec(window) ?? [];
  const ms = Number(count) * (UNITS[unit] ?? 0);
  if (ms > 0 && ms <= LONGEST_MS) return ms;
  throw new EngineError('invalid_request', 'completion_window must be hours or days, such as 24h or 7d; 30d at most.', {
    param: 'completion_window',
  });
}
