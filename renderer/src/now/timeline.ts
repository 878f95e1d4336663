// The timeline's arithmetic: which spans there are, and how a tail of newer points is joined to what is already known. Pure.
import type { SeriesAnswer, SeriesName, SeriesStepMs } from '../../../engine/contract.ts';

export interface Span {
  readonly label: string;
  readonly lengthMs: number;
  readonly stepMs: SeriesStepMs;
  /** How often newer points are asked for. */
  readonly everyMs: number;
}

export const SPANS = {
  '10m': { label: '10 m', lengthMs: 600_000, stepMs: 1_000, everyMs: 1_000 },
  '1h': { label: '1 h', lengthMs: 3_600_000, stepMs: 60_000, everyMs: 10_000 },
  '24h': { label: '24 h', lengthMs: 86_400_000, stepMs: 60_000, everyMs: 30_000 },
} as const satisfies Readonly<Record<string, Span>>;
export type SpanName = keyof typeof SPANS;

export const TIMELINE_NAMES = [
  'tokensPerSecond',
  'ttftP50Ms',
  'ttftP99Ms',
  'queueDepth',
  'running',
  'meanBatch',
] as const satisfies readonly SeriesName[];

/** Steps that are asked for again, since the last ones may have been written late. */
const OVERLAP_STEPS = 5;

/** From where newer points are to be asked for: the whole span at first, and after a gap longer than it. */
export function tailStart(known: SeriesAnswer | null, span: Span, nowMs: number): number {
  const oldest = Math.floor((nowMs - span.lengthMs) / span.stepMs) * span.stepMs;
  const last = known?.atMs.at(-1);
  return last === undefined ? oldest : Math.max(oldest, last - OVERLAP_STEPS * span.stepMs);
}

/** `known` up to where `tail` begins, then `tail`; nothing older than the span. */
export function joinTail(known: SeriesAnswer | null, tail: SeriesAnswer, span: Span): SeriesAnswer {
  const fromMs = tail.range.toMs - span.lengthMs;
  const keep = known === null ? [] : known.atMs.flatMap((at, index) => (at >= fromMs && at < tail.range.fromMs ? [index] : []));
  const join = (old: readonly (number | null)[] | undefined, fresh: readonly (number | null)[]): (number | null)[] => [
    ...keep.map((index) => old?.[index] ?? null),
    ...fresh,
  ];
  const names = Object.keys(tail.values) as SeriesName[];
  return {
    ...tail,
    range: { fromMs, toMs: tail.range.toMs },
    atMs: [...keep.map((index) => known?.atMs[index] ?? 0), ...tail.atMs],
    values: Object.fromEntries(names.map((name) => [name, join(known?.values[name], tail.values[name] ?? [])])),
  };
}
