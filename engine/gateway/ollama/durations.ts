// Reads how long a model is to be kept, as Ollama's API spells it: seconds, or a duration such as `5m` or `1h30m`; below zero is for ever.
import { invalid } from '../openai/faults.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/gy;
const LONGEST_MS = 365 * 86_400_000;

/** In ms; null: for ever. @throws EngineError `invalid_request` for what is no duration */
export function readKeepAlive(value: string | number): number | null {
  const ms = typeof value === 'number' ? value * 1_000 : durationMs(value.trim());
  if (Number.isNaN(ms)) throw invalid('keep_alive', `keep_alive: ${JSON.stringify(value)} is no duration such as 5m, 1h30m, 300 or -1.`);
  return ms < 0 || ms > LONGEST_MS ? null : ms;
}

/** As Go spells durations (pkg.go.dev/time#ParseDuration); a number alone is seconds. NaN for anything else. */
function durationMs(text: string): number {
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = text.replace(/^[+-]/, '');
  const parts = [...digits.matchAll(PART)];
  const isWhole = digits !== '' && parts.reduce((length, [part]) => length + part.length, 0) === digits.length;
  if (!isWhole) return Number.NaN;
  return sign * parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? Number.NaN), 0);
}
