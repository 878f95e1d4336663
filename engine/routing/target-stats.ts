// Owns what was measured of one target: speed, cost, failures, requests under way. Knows nothing about what else there is.
import type { GenerateEvent } from '../runner/protocol.ts';
import { admits, CLOSED, onFailure, onSuccess, onTry, onUnknown, type Circuit } from './breaker.ts';
import { RELAXED, strainOf, type Strain } from './degrade.ts';

/** Weight of the newest measurement: the last ten or so count. */
const NEWEST = 0.2;
/** A prompt token costs about this share of a token of the answer, as price lists and prefill speeds have it. */
export const PROMPT_WEIGHT = 0.2;

export class TargetStats {
  circuit: Circuit = CLOSED;
  running = 0;
  requests = 0;
  failures = 0;
  /** Without the wait; null: never measured. */
  ttftMs: number | null = null;
  serviceMs: number | null = null;
  tokensPerSecond: number | null = null;
  answerTokens: number | null = null;
  /** USD of a token of the answer; of a prompt token a fifth. */
  tokenUsd: number | null = null;
  requestUsd: number | null = null;
  #strain: Strain = RELAXED;

  /** Whether the target is kept from requests with this goal; `expectedMs` of one that came now. */
  isStrained(expectedMs: number, goalMs: number, nowMs: number): boolean {
    this.#strain = strainOf(this.#strain, expectedMs, goalMs, nowMs);
    return this.#strain.isStrained;
  }

  isOpen(nowMs: number): boolean {
    return !admits(this.circuit, nowMs);
  }

  begin(): void {
    this.running += 1;
    this.requests += 1;
    this.circuit = onTry(this.circuit);
  }

  succeeded(measured: MeasuredAnswer): void {
    this.running -= 1;
    this.circuit = onSuccess();
    const { ttftMs, totalMs, usage, timings, usd } = measured;
    this.ttftMs = blend(this.ttftMs, Math.max(0, ttftMs - timings.queueMs));
    this.serviceMs = blend(this.serviceMs, Math.max(0, totalMs - timings.queueMs));
    if (totalMs > ttftMs && usage.completionTokens > 1)
      this.tokensPerSecond = blend(this.tokensPerSecond, ((usage.completionTokens - 1) * 1000) / (totalMs - ttftMs));
    this.answerTokens = blend(this.answerTokens, usage.completionTokens);
    this.#costs(usd, usage);
  }

  failed(nowMs: number, retryAfterMs: number | null, jitter: number): void {
    this.running -= 1;
    this.failures += 1;
    this.circuit = onFailure(this.circuit, nowMs, retryAfterMs, jitter);
  }

  /** It ended without telling how the target is: cancelled, refused for a fault of the request, or its queue was full. */
  left(nowMs: number): void {
    this.running -= 1;
    this.circuit = onUnknown(this.circuit, nowMs);
  }

  #costs(usd: number, { promptTokens, completionTokens }: MeasuredAnswer['usage']): void {
    const tokens = completionTokens + PROMPT_WEIGHT * promptTokens;
    if (tokens > 0) this.tokenUsd = blend(this.tokenUsd, usd / tokens);
    this.requestUsd = blend(this.requestUsd, usd);
  }
}

type Done = Extract<GenerateEvent, { kind: 'done' }>;

export interface MeasuredAnswer extends Pick<Done, 'usage' | 'timings'> {
  readonly ttftMs: number;
  readonly totalMs: number;
  /** Of this machine and of upstreams together. */
  readonly usd: number;
}

function blend(before: number | null, newest: number): number {
  return before === null ? newest : before + NEWEST * (newest - before);
}
