// Decides what the device does next: run a batch of the texts that wait, wait for company, or rest.
// Pure: the queue gives the texts in their fair order, the runner the time and what was measured.
import { batchMs, type CostModel } from './cost.ts';

export interface BatchLimits {
  /** Texts of one batch at most. */
  readonly maxBatchSize: number;
  /** Longest time a text waits for company while the device is free. */
  readonly maxWaitMs: number;
  /** Tokens of one batch at most; a single text may have more. */
  readonly tokenBudget: number;
}

export interface PlannedText {
  readonly tokenCount: number;
  readonly arrivedMs: number;
  /** The time after which nobody wants it any longer. */
  readonly deadlineMs: number;
}

export interface BatchView {
  readonly nowMs: number;
  /** The next texts in fair order, at least as many as a batch takes where there are so many. */
  readonly waiting: readonly PlannedText[];
  /** When the last batch ended. */
  readonly freeSinceMs: number;
  /** Measured mean time between two arriving texts. */
  readonly meanGapMs: number;
  readonly cost: CostModel;
  readonly limits: BatchLimits;
}

export type BatchDecision =
  | { readonly kind: 'rest'; readonly reason: string }
  /** Look again at `untilMs`, or when a text arrives. */
  | { readonly kind: 'wait'; readonly untilMs: number; readonly reason: string }
  /** The first `count` texts form a batch. */
  | { readonly kind: 'run'; readonly count: number; readonly reason: string };

/**
 * NOTE: waiting pays only as far as a merged batch saves time: its fixed cost. The device waits no longer than that after it came free
 * (it then has lost at most what it could have saved), and only when the next text is expected within it. A text that finds the device
 * idle for longer runs at once.
 */
export function planBatch(view: BatchView): BatchDecision {
  const { waiting, nowMs, limits } = view;
  if (waiting.length === 0) return { kind: 'rest', reason: 'nothing waits' };
  const count = fittingCount(waiting, limits);
  if (count === limits.maxBatchSize) return { kind: 'run', count, reason: 'the batch has as many texts as it may' };
  if (count < waiting.length) return { kind: 'run', count, reason: 'the next text would exceed the token budget' };
  const saving = view.cost.baseMs;
  if (view.meanGapMs > saving)
    return { kind: 'run', count, reason: 'the device is idle, and the next text is further away than it would save' };
  const untilMs = Math.min(view.freeSinceMs + saving, ...waiting.map((text) => latestStart(text, view)));
  if (untilMs <= nowMs) return { kind: 'run', count, reason: 'the device is idle for as long as company could save' };
  return { kind: 'wait', untilMs, reason: 'texts arrive so fast that a fuller batch saves more than the wait costs' };
}

/** Texts that fit into one batch; the first always does. */
function fittingCount(waiting: readonly PlannedText[], { maxBatchSize, tokenBudget }: BatchLimits): number {
  let tokens = 0;
  let count = 0;
  for (const text of waiting) {
    tokens += text.tokenCount;
    if (count === maxBatchSize || (count > 0 && tokens > tokenBudget)) break;
    count++;
  }
  return count;
}

/** The text has then waited as long as it may, or would miss its deadline. */
function latestStart({ arrivedMs, deadlineMs, tokenCount }: PlannedText, { limits, cost }: BatchView): number {
  return Math.min(arrivedMs + limits.maxWaitMs, deadlineMs - batchMs(cost, [tokenCount]));
}
