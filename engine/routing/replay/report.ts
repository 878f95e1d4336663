// Decides what a replay of graded prompts shows: what routing saved, and what it kept of the strong model's accuracy. Pure.
import type { GradedRow } from '../complexity/graded.ts';
import { PRICES, type GradedTarget } from './graded-host.ts';

/** A prompt, and what a client got for it. */
export interface Replayed {
  readonly row: GradedRow;
  readonly target: GradedTarget;
  /** 0..1, as the client read it. */
  readonly grade: number;
}

export interface ReplayReport {
  readonly benchmark: string;
  readonly subjects: number;
  readonly prompts: number;
  readonly weakAccuracy: number;
  readonly strongAccuracy: number;
  readonly accuracy: number;
  /** Accuracy over the strong model's, with half of its 95% interval; null where that was never right. */
  readonly kept: { readonly share: number; readonly plusMinus: number } | null;
  readonly strongShare: number;
  /** Share of what the strong model alone would have cost. */
  readonly saved: number;
}

const Z95 = 1.96;

/** One report a benchmark, in the order of the prompts. */
export function replayReports(replayed: readonly Replayed[]): readonly ReplayReport[] {
  return [...Map.groupBy(replayed, ({ row }) => row.benchmark)].map(([benchmark, own]) => reportOf(benchmark, own));
}

function reportOf(benchmark: string, own: readonly Replayed[]): ReplayReport {
  const strongShare = own.filter(({ target }) => target === 'strong').length / own.length;
  return {
    benchmark,
    subjects: new Set(own.map(({ row }) => row.subject)).size,
    prompts: own.length,
    weakAccuracy: mean(own.map(({ row }) => row.weak)),
    strongAccuracy: mean(own.map(({ row }) => row.strong)),
    accuracy: mean(own.map(({ grade }) => grade)),
    kept: keptOf(own),
    strongShare,
    saved: (1 - strongShare) * (1 - PRICES.weak / PRICES.strong),
  };
}

/** A ratio of means over the same prompts, its interval by the delta method. */
function keptOf(own: readonly Replayed[]): ReplayReport['kept'] {
  const strong = own.reduce((sum, { row }) => sum + row.strong, 0);
  if (strong === 0) return null;
  const share = own.reduce((sum, { grade }) => sum + grade, 0) / strong;
  const squares = own.reduce((sum, { grade, row }) => sum + (grade - share * row.strong) ** 2, 0);
  return { share, plusMinus: (Z95 * Math.sqrt(squares)) / strong };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
