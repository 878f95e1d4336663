// Owns what a router needs of a model of complexity: its scorer, and what its training prompts were like.
import type { ExpertName } from './experts.ts';
import type { RouterModel, Traffic } from './model.ts';
import { createComplexityScorer, type ComplexityScorer } from './predict.ts';

export interface ComplexityMeter {
  readonly scorer: ComplexityScorer;
  /** Of the prompts that the scorer was trained on, by kind. */
  readonly traffic: Readonly<Record<ExpertName, Traffic>>;
}

export function meterOf(model: RouterModel): ComplexityMeter {
  const { choice, problem } = model.experts;
  return { scorer: createComplexityScorer(model), traffic: { choice: choice.traffic, problem: problem.traffic } };
}

/** How often the strong model is right, over both kinds alike, 0..1. */
export function strongAccuracyOf({ traffic }: ComplexityMeter): number {
  return (traffic.choice.strongAccuracy + traffic.problem.strongAccuracy) / 2;
}
