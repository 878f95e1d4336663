// Owns the service level objectives that a model has before anybody sets one: from its measured speed, with room for company.
import type { Slo } from '../../contract.ts';

/** What was measured of a model alone on its device; null where it was not. */
export interface MeasuredSpeed {
  readonly prefillTokensPerSecond: number | null;
  /** Of one stream. */
  readonly decodeTokensPerSecond: number | null;
}

/** A request that counts as usual: its prompt and its answer, in tokens. */
const TYPICAL_PROMPT = 512;
const TYPICAL_ANSWER = 256;
/** How much slower than alone an answer may be before it breaks the objective: a batch shares the device. */
const ROOM = 4;
/** Nobody notices less, in ms. */
const LEAST = { ttftMs: 200, interTokenMs: 50, totalMs: 1_000 } as const;

/** The objectives of a model with this speed, rounded up to two digits; null for what was not measured. */
export function defaultSlo({ prefillTokensPerSecond, decodeTokensPerSecond }: MeasuredSpeed): Slo {
  const prefillMs = msFor(TYPICAL_PROMPT, prefillTokensPerSecond);
  const tokenMs = msFor(1, decodeTokensPerSecond);
  return {
    ttftMs: objective(prefillMs, LEAST.ttftMs),
    interTokenMs: objective(tokenMs, LEAST.interTokenMs),
    totalMs: prefillMs === null || tokenMs === null ? null : objective(prefillMs + TYPICAL_ANSWER * tokenMs, LEAST.totalMs),
  };
}

function msFor(tokens: number, tokensPerSecond: number | null): number | null {
  return tokensPerSecond === null || !(tokensPerSecond > 0) ? null : (tokens / tokensPerSecond) * 1000;
}

function objective(aloneMs: number | null, leastMs: number): number | null {
  return aloneMs === null ? null : roundUp(Math.max(leastMs, aloneMs * ROOM));
}

/** To two significant digits, never down: 1,234 becomes 1,300. */
function roundUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / unit) * unit;
}
