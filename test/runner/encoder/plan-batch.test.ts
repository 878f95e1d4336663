// The batch decision by itself, with its reasons; the cost model; the measure of arrivals.
import { describe, expect, it } from 'vitest';
import { meanGapMs, NO_ARRIVALS, withArrivals } from '../../../engine/runner/encoder/arrival-rate.ts';
import { CALIBRATION_SHAPES } from '../../../engine/runner/encoder/calibrate.ts';
import { batchMs, fitCost, tokenBudget } from '../../../engine/runner/encoder/cost.ts';
import { planBatch, type BatchView, type PlannedText } from '../../../engine/runner/encoder/plan-batch.ts';
import { COST, LIMITS } from './batching.ts';

const waitingText = (changes: Partial<PlannedText> = {}): PlannedText => ({ tokenCount: 20, arrivedMs: 1000, deadlineMs: 1e6, ...changes });

function view(changes: Partial<BatchView> = {}): BatchView {
  return { nowMs: 1000, waiting: [waitingText()], freeSinceMs: 999, meanGapMs: Infinity, cost: COST, limits: LIMITS, ...changes };
}

describe('the batch decision', () => {
  it('rests without texts', () => {
    expect(planBatch(view({ waiting: [] }))).toMatchObject({ kind: 'rest' });
  });

  it('runs at once when nobody else is expected soon', () => {
    expect(planBatch(view())).toMatchObject({ kind: 'run', count: 1, reason: /further away/ });
    expect(planBatch(view({ meanGapMs: COST.baseMs + 0.1 }))).toMatchObject({ kind: 'run' });
  });

  it('waits for company that is expected sooner than it saves, and no longer than that', () => {
    expect(planBatch(view({ meanGapMs: 1 }))).toMatchObject({ kind: 'wait', untilMs: 999 + COST.baseMs });
    expect(planBatch(view({ meanGapMs: 1, nowMs: 999 + COST.baseMs }))).toMatchObject({
      kind: 'run',
      reason: /as long as company could save/,
    });
  });

  it('does not wait when the device has been idle for long', () => {
    expect(planBatch(view({ meanGapMs: 1, freeSinceMs: 900 }))).toMatchObject({ kind: 'run' });
  });

  it('does not wait past a deadline or past the longest wait', () => {
    expect(planBatch(view({ meanGapMs: 1, waiting: [waitingText({ deadlineMs: 1008 })] }))).toMatchObject({
      kind: 'wait',
      untilMs: 1008 - batchMs(COST, [20]),
    });
    const limits = { ...LIMITS, maxWaitMs: 2 };
    expect(planBatch(view({ meanGapMs: 1, limits, waiting: [waitingText({ arrivedMs: 998.5 })] }))).toMatchObject({
      kind: 'wait',
      untilMs: 1000.5,
    });
  });

  it('fills a batch by texts and by tokens; a text beyond the budget goes alone', () => {
    expect(planBatch(view({ waiting: Array.from({ length: 9 }, () => waitingText()) }))).toMatchObject({ kind: 'run', count: 8 });
    expect(planBatch(view({ waiting: [80, 80, 80].map((tokenCount) => waitingText({ tokenCount })) }))).toMatchObject({
      kind: 'run',
      count: 2,
      reason: /budget/,
    });
    expect(planBatch(view({ waiting: [500, 20].map((tokenCount) => waitingText({ tokenCount })) }))).toMatchObject({
      kind: 'run',
      count: 1,
    });
  });
});

describe('the cost of batches', () => {
  const samplesOf = (cost: typeof COST, noise = 0) =>
    CALIBRATION_SHAPES.map(([batch, length], at) => ({
      batch,
      length,
      ms: batchMs(cost, Array(batch).fill(length)) * (1 + (at % 2 === 0 ? noise : -noise)),
    }));

  it('is found again from runs that follow it', () => {
    const cost = { baseMs: 1.5, tokenMs: 0.08, attentionMs: 0.00004 };
    const fitted = fitCost(samplesOf(cost));
    expect(fitted.baseMs).toBeCloseTo(cost.baseMs, 6);
    expect(fitted.tokenMs).toBeCloseTo(cost.tokenMs, 8);
    expect(fitted.attentionMs).toBeCloseTo(cost.attentionMs, 10);
  });

  it('has no negative part, whatever the noise', () => {
    for (const noise of [0.05, 0.3, 0.8]) {
      const { baseMs, tokenMs, attentionMs } = fitCost(samplesOf(COST, noise));
      expect(Math.min(baseMs, tokenMs, attentionMs)).toBeGreaterThanOrEqual(0);
      expect(tokenMs + attentionMs).toBeGreaterThan(0);
    }
  });

  it('has no fixed part above the shortest run, when the machine was busy in between', () => {
    const calm = samplesOf(COST);
    const busy = calm.map((sample, at) => ({ ...sample, ms: at < 4 && at > 0 ? sample.ms * 20 : sample.ms }));
    expect(fitCost(busy).baseMs).toBeLessThanOrEqual(Math.min(...busy.map(({ ms }) => ms)));
  });

  it('gives a budget that spreads the fixed part thin and holds the longest text', () => {
    expect(tokenBudget({ baseMs: 1, tokenMs: 0.1, attentionMs: 0 }, 100)).toBe(240);
    expect(tokenBudget({ baseMs: 1, tokenMs: 0.1, attentionMs: 0 }, 512)).toBe(512);
    expect(tokenBudget({ baseMs: 0, tokenMs: 0.1, attentionMs: 0 }, 16)).toBe(64);
  });
});

describe('the measure of arrivals', () => {
  it('comes near the true gap of a steady stream and forgets what is long past', () => {
    let rate = NO_ARRIVALS;
    for (let nowMs = 0; nowMs < 2000; nowMs += 5) rate = withArrivals(rate, 1, nowMs);
    expect(meanGapMs(rate, 2000)).toBeGreaterThan(4.5);
    expect(meanGapMs(rate, 2000)).toBeLessThan(5.5);
    expect(meanGapMs(rate, 4000)).toBeGreaterThan(1000);
    expect(meanGapMs(NO_ARRIVALS, 10)).toBe(Infinity);
  });
});
