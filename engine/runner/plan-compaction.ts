// Owns the decision to close holes among the slots that decode: a decode step runs over a range of slots, so each hole in it costs a
// padded row in every step. Pure.
import type { RunningSlot, SlotView } from './plan-step.ts';

/** Tokens of KV copied in the time of one padded row (measured: 2.2 ms for 512 tokens, 1.5 ms a row; both grow with the model). */
const COPIED_TOKENS_PER_ROW = 300;
/** Steps a sequence is expected to go on for, at most: its end is not known. */
const EXPECTED_STEPS = 16;

export type Compaction =
  | { readonly kind: 'move'; readonly from: number; readonly to: number; readonly reason: string }
  | { readonly kind: 'evict'; readonly slot: number; readonly reason: string };

/** A move (or an eviction that makes room for one) that pays, or null. */
export function planCompaction(slots: readonly SlotView[], ready: readonly RunningSlot[]): Compaction | null {
  const sorted = [...ready].sort((a, b) => a.index - b.index);
  const [bottom, top] = [sorted[0], sorted.at(-1)];
  if (bottom === undefined || top === undefined || top.index - bottom.index + 1 === ready.length) return null;
  const end = top.length <= bottom.length ? top : bottom;
  const pays = end.length <= COPIED_TOKENS_PER_ROW * Math.min(end.remaining, EXPECTED_STEPS);
  return pays ? closeHole(slots, { end, first: bottom.index, last: top.index }) : null;
}

function closeHole(slots: readonly SlotView[], { end, first, last }: { end: RunningSlot; first: number; last: number }): Compaction | null {
  const inside = slots.filter((slot) => slot.index > first && slot.index < last);
  const empty = inside.find((slot) => slot.kind === 'empty');
  if (empty !== undefined) return { kind: 'move', from: end.index, to: empty.index, reason: 'closes a hole' };
  const [kept] = inside.filter((slot) => slot.kind === 'kept').sort((a, b) => a.lastUsed - b.lastUsed);
  if (kept === undefined) return null;
  const outside = slots.find((slot) => slot.kind === 'empty');
  return outside === undefined
    ? { kind: 'evict', slot: kept.index, reason: 'a kept prefix lies among the sequences that decode, and there is no room beside them' }
    : { kind: 'move', from: kept.index, to: outside.index, reason: 'a kept prefix lies among the sequences that decode' };
}
