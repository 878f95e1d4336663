// Owns the report of a router over graded prompts: per benchmark and together, beside the length of the prompt alone. Pure.
import type { GradedRow } from './graded.ts';
import { measureRouter, type Outcome, type RouterMetrics } from './metrics.ts';
import type { ComplexityScorer } from './predict.ts';

export interface RouterReport {
  readonly benchmark: string;
  readonly subjects: number;
  readonly router: RouterMetrics;
  /** A router that ranks by characters alone: what a better one must beat. */
  readonly lengthAlone: RouterMetrics;
}

export const TOGETHER = 'all';

/** `embeddings`: one vector a row, or null for the surface alone. One report a benchmark; with more than one, `all` follows. */
export function evaluateRouter(
  scorer: ComplexityScorer,
  rows: readonly GradedRow[],
  embeddings: readonly ArrayLike<number>[] | null,
): readonly RouterReport[] {
  const scored = rows.map((row, index) => ({ row, score: scorer.score(row.facts, embeddings?.[index]).value }));
  const groups = [...Map.groupBy(scored, ({ row }) => row.benchmark)];
  const named = groups.length > 1 ? [...groups, [TOGETHER, scored] as const] : groups;
  return named.map(([benchmark, items]) => ({
    benchmark,
    subjects: new Set(items.map(({ row }) => row.subject)).size,
    router: measureRouter(items.map(({ row, score }) => toOutcome(row, score))),
    lengthAlone: measureRouter(items.map(({ row }) => toOutcome(row, row.facts.text.length))),
  }));
}

function toOutcome({ weak, strong }: GradedRow, score: number): Outcome {
  return { score, weak, strong };
}
