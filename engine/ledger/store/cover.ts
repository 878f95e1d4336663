// Owns how a range is put together from whole steps, coarse in the middle and fine at the edges. Pure.
import type { TimeRange } from '../../contract.ts';

/** A kind of row that sums up a step. */
export interface Level {
  readonly stepMs: number;
  /** Earlier steps are no longer kept at this level. */
  readonly keptFromMs: number;
}

export interface Segment extends TimeRange {
  /** Place of its level in the list that was given. */
  readonly level: number;
}

/** Segments that cover the range without overlap, in order; `levels` from coarse to fine, each step a multiple of the next.
 *  What is too old for a fine level is widened to whole steps of the level above, as long as no other segment has them. */
export function coverRange(range: TimeRange, levels: readonly Level[], from = 0): readonly Segment[] {
  const level = levels[from];
  if (level === undefined || range.fromMs >= range.toMs) return [];
  const isFinest = from === levels.length - 1;
  const inner = whole(range, level.stepMs);
  if (isFinest) return [{ level: from, ...range }];
  if (inner.fromMs >= inner.toMs) return edge(range, levels, from);
  return [
    ...edge({ fromMs: range.fromMs, toMs: inner.fromMs }, levels, from),
    { level: from, ...inner },
    ...edge({ fromMs: inner.toMs, toMs: range.toMs }, levels, from),
  ];
}

/** Less than a step of this level: from the finer ones, or the whole step when those are gone. */
function edge(range: TimeRange, levels: readonly Level[], from: number): readonly Segment[] {
  const finer = levels[from + 1];
  const { stepMs } = levels[from] ?? { stepMs: 1 };
  if (range.fromMs >= range.toMs) return [];
  if (finer !== undefined && range.fromMs >= finer.keptFromMs) return coverRange(range, levels, from + 1);
  return [{ level: from, fromMs: Math.floor(range.fromMs / stepMs) * stepMs, toMs: Math.ceil(range.toMs / stepMs) * stepMs }];
}

const whole = ({ fromMs, toMs }: TimeRange, stepMs: number): TimeRange => ({
  fromMs: Math.ceil(fromMs / stepMs) * stepMs,
  toMs: Math.floor(toMs / stepMs) * stepMs,
});
