// Owns the figures of batches: their size, fill and wait over the last second or so. Knows nothing about how they are formed.
import type { EncoderStats } from '../protocol.ts';
import type { WaitingText } from './text-queue.ts';

interface Sums {
  batches: number;
  texts: number;
  tokens: number;
  waitMs: number;
}

/** Means of the current period, totals since the start. */
export interface BatchReport extends EncoderStats {
  readonly batches: number;
  readonly tokens: number;
  readonly busyMs: number;
}

/** A report covers this much time at least, so that it is no figure of a single batch. */
const LEAST_PERIOD_MS = 1000;

const nothing = (): Sums => ({ batches: 0, texts: 0, tokens: 0, waitMs: 0 });

export class BatchMeter {
  #recent = nothing();
  #recentSinceMs: number | null = null;
  #batches = 0;
  #tokens = 0;
  #busyMs = 0;

  started(texts: readonly WaitingText[], nowMs: number): void {
    this.#recentSinceMs ??= nowMs;
    const tokens = texts.reduce((total, { tokenCount }) => total + tokenCount, 0);
    this.#recent.batches++;
    this.#recent.texts += texts.length;
    this.#recent.tokens += tokens;
    this.#recent.waitMs += texts.reduce((total, { arrivedMs }) => total + nowMs - arrivedMs, 0);
    this.#batches++;
    this.#tokens += tokens;
  }

  /** `shares` of the batch's time, by text. */
  finished(shares: readonly number[]): void {
    for (const share of shares) this.#busyMs += share;
  }

  /** Means of the current period, which ends with the report once it is long enough; totals since the start. */
  report(tokenBudget: number, nowMs: number): BatchReport {
    const { batches, texts, tokens, waitMs } = this.#recent;
    const periodMs = nowMs - (this.#recentSinceMs ?? nowMs);
    if (periodMs >= LEAST_PERIOD_MS) {
      this.#recent = nothing();
      this.#recentSinceMs = null;
    }
    return {
      meanBatchSize: batches === 0 ? 0 : texts / batches,
      meanFill: batches === 0 ? 0 : tokens / batches / tokenBudget,
      meanWaitMs: texts === 0 ? 0 : waitMs / texts,
      textsPerSecond: periodMs === 0 ? 0 : (texts / periodMs) * 1000,
      tokenBudget,
      batches: this.#batches,
      tokens: this.#tokens,
      busyMs: this.#busyMs,
    };
  }
}
