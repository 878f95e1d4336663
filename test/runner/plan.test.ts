import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planCapacity } from '../../engine/runner/capacity.ts';
import { planAdmission } from '../../engine/runner/plan-admission.ts';
import { planCompaction } from '../../engine/runner/plan-compaction.ts';
import { planStep, type RunningSlot, type SlotView, type StepView } from '../../engine/runner/plan-step.ts';
import { chunkEnd } from '../../engine/runner/prefill-chunks.ts';

const empty = (index: number): SlotView => ({ kind: 'empty', index });
const kept = (index: number, length: number, lastUsed = index): SlotView => ({ kind: 'kept', index, length, lastUsed });
const running = (index: number, changes: Partial<RunningSlot> = {}): RunningSlot => ({
  kind: 'running',
  index,
  length: 100,
  total: 101,
  order: index,
  remaining: 50,
  ...changes,
});
const view = (changes: Partial<StepView>): StepView => ({
  slots: [empty(0), empty(1), empty(2), empty(3)],
  waiting: null,
  budgetTokens: 10_000,
  tokensPerPage: 16,
  chunkTokens: 128,
  justPrefilled: false,
  draft: [],
  ...changes,
});

describe('prefill chunks', () => {
  it('cover a prompt from any start, in chunks of two and more that end at the same places as those of others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1000 }), fc.nat(1000), fc.constantFrom(4, 64, 128), (total, start, chunkTokens) => {
        fc.pre(start <= total - 2);
        for (let from = start; from < total;) {
          const end = chunkEnd(from, total, chunkTokens);
          expect(end - from).toBeGreaterThanOrEqual(2);
          expect(end - from).toBeLessThanOrEqual(chunkTokens + 2);
          expect(end === total || end % chunkTokens === 0).toBe(true);
          from = end;
        }
      }),
    );
  });
});

describe('the plan of a step', () => {
  it('is idle without work', () => {
    expect(planStep(view({}))).toMatchObject({ kind: 'idle' });
  });

  it('alternates chunks and decode steps while a stream runs', () => {
    const slots = [running(0), running(1, { length: 128, total: 400 }), empty(2), empty(3)];
    expect(planStep(view({ slots }))).toMatchObject({ kind: 'prefill', slot: 1, from: 128, to: 256 });
    expect(planStep(view({ slots, justPrefilled: true }))).toMatchObject({ kind: 'decode', first: 0, count: 1 });
  });

  it('prefills the oldest first, one chunk after the other while no stream runs', () => {
    const slots = [running(0, { length: 0, total: 300, order: 5 }), running(1, { length: 0, total: 300, order: 2 }), empty(2)];
    expect(planStep(view({ slots, justPrefilled: true }))).toMatchObject({ kind: 'prefill', slot: 1 });
  });

  it('admits the head of the queue only when its KV fits', () => {
    const slots = [running(0), empty(1)];
    const waiting = { total: 500, prefixes: [0, 0] };
    expect(planStep(view({ slots, waiting }))).toMatchObject({ kind: 'admit', slot: 1, reuse: null });
    expect(planStep(view({ slots, waiting, budgetTokens: 600 }))).toMatchObject({ kind: 'decode' });
  });

  it('sends the youngest back when the budget is exceeded, but never the last one', () => {
    const slots = [running(0, { order: 9 }), running(1, { order: 3 })];
    expect(planStep(view({ slots, budgetTokens: 200, justPrefilled: true }))).toMatchObject({ kind: 'preempt', slot: 0 });
    expect(planStep(view({ slots: [running(0)], budgetTokens: 50 }))).toMatchObject({ kind: 'decode' });
  });

  it('verifies guesses only for a sequence that runs alone', () => {
    expect(planStep(view({ slots: [running(0)], draft: [1, 2] }))).toMatchObject({ kind: 'verify', slot: 0, draft: [1, 2] });
    expect(planStep(view({ slots: [running(0), running(1)], draft: [1, 2] }))).toMatchObject({ kind: 'decode', count: 2 });
  });
});

describe('admission', () => {
  it('takes the longest prefix: in place when most of it is continued, else by a copy that leaves it to others', () => {
    const slots = [running(0), kept(1, 60), kept(2, 300), empty(3)];
    expect(planAdmission(slots, { total: 200, prefixes: [20, 50, 40, 0] })).toMatchObject({ slot: 1, reuse: { from: 1, tokens: 50 } });
    expect(planAdmission(slots, { total: 200, prefixes: [20, 20, 60, 0] })).toMatchObject({ slot: 3, reuse: { from: 2, tokens: 60 } });
    expect(planAdmission(slots, { total: 200, prefixes: [90, 50, 40, 0] })).toMatchObject({ slot: 3, reuse: { from: 0, tokens: 90 } });
    expect(planAdmission(slots, { total: 200, prefixes: [15, 9, 3, 0] })).toMatchObject({ slot: 3, reuse: null });
  });

  it('evicts the least recently used, the source of its copy last', () => {
    const slots = [running(0), kept(1, 300, 1), kept(2, 50, 8)];
    expect(planAdmission(slots, { total: 200, prefixes: [0, 60, 0] })).toMatchObject({ slot: 2, reuse: { from: 1 } });
    expect(planAdmission([running(0), kept(1, 300)], { total: 200, prefixes: [0, 60] })).toMatchObject({ slot: 1, reuse: { from: 1 } });
    expect(planAdmission([running(0)], { total: 200, prefixes: [0] })).toBe(null);
  });

  it('keeps those that run together', () => {
    expect(planAdmission([empty(0), running(1), empty(2), running(3)], { total: 9, prefixes: [0, 0, 0, 0] })).toMatchObject({ slot: 2 });
    expect(planAdmission([empty(0), empty(1), running(2), empty(3)], { total: 9, prefixes: [0, 0, 0, 0] })).toMatchObject({ slot: 1 });
  });
});

describe('compaction', () => {
  const plan = (slots: readonly SlotView[]) =>
    planCompaction(
      slots,
      slots.filter((slot) => slot.kind === 'running'),
    );

  it('moves the shorter end into a hole when that pays', () => {
    expect(plan([running(0), empty(1), running(2)])).toMatchObject({ kind: 'move', from: 2, to: 1 });
    expect(plan([running(0, { length: 20 }), empty(1), running(2)])).toMatchObject({ kind: 'move', from: 0, to: 1 });
    expect(plan([running(0), running(1)])).toBe(null);
    expect(plan([running(0, { length: 8000 }), empty(1), running(2, { length: 8000, remaining: 3 })])).toBe(null);
  });

  it('moves a kept prefix out of the way, or gives it up when there is no room', () => {
    expect(plan([running(0), kept(1, 50), running(2), empty(3)])).toMatchObject({ kind: 'move', from: 1, to: 3 });
    expect(plan([running(0), kept(1, 50), running(2)])).toMatchObject({ kind: 'evict', slot: 1 });
  });
});

describe('capacity', () => {
  const model = { trainedLength: 8192, bytesPerToken: 1000 };
  const plan = (contextLength: number | null, slots: number | null, kvBudgetBytes: number) =>
    planCapacity({ contextLength, slots, kvBudgetBytes }, model);

  it('is the trained length, or what memory allows at 4 slots', () => {
    expect(plan(null, null, 1e9)).toEqual({ contextLength: 8192, slotCount: 16, budgetTokens: 1_000_000 });
    expect(plan(null, null, 8e6)).toEqual({ contextLength: 2000, slotCount: 16, budgetTokens: 8000 });
    expect(plan(null, 2, 8e6)).toEqual({ contextLength: 4000, slotCount: 2, budgetTokens: 8000 });
  });

  it('takes what is asked for, and refuses what one sequence cannot have', () => {
    expect(plan(512, 8, 8e6)).toEqual({ contextLength: 512, slotCount: 8, budgetTokens: 8000 });
    expect(() => plan(9000, null, 8e6)).toThrow(/9000 tokens/);
    expect(() => plan(null, null, 1000)).toThrow(/KV cache/);
  });
});
