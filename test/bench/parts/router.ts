// What the complexity of a prompt costs: the shipped router by surface features, and what an embedding adds once it is there.
import { readRouterModel } from '../../../engine/routing/complexity/model.ts';
import { createComplexityScorer } from '../../../engine/routing/complexity/predict.ts';
import type { BenchContext } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';
import { percentile } from '../statistics.ts';
import { TEXTS } from '../texts.ts';

const EMBEDDING_WIDTH = 384;
const GOAL_MS = 1;

export async function routerPart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('router');
  const scorer = createComplexityScorer(readRouterModel());
  const vector = new Float32Array(EMBEDDING_WIDTH).fill(1 / Math.sqrt(EMBEDDING_WIDTH));
  const long = TEXTS.map(({ prompt }) => prompt)
    .join('\n')
    .repeat(100);
  const prompts = [...TEXTS.map(({ name, prompt }) => ({ name, prompt })), { name: `${Math.round(long.length / 1000)} KB`, prompt: long }];
  for (let round = 0; round < context.reps; round++) {
    for (const { name, prompt } of prompts) {
      const facts = { text: prompt, turns: 0, tools: 0, schema: false };
      const surface = p99Ms(context.smoke ? 50 : 2000, () => scorer.score(facts));
      figures.add('ours', surface, { name: `complexity of ${name}, p99`, unit: 'ms', better: 'lower', valueGoal: GOAL_MS });
      const embedded = p99Ms(context.smoke ? 50 : 2000, () => scorer.score(facts, vector));
      figures.add('ours', embedded, { name: `complexity of ${name} with its embedding, p99`, unit: 'ms', better: 'lower' });
    }
  }
  return figures.list();
}

function p99Ms(times: number, work: () => unknown): number {
  const durations = Array.from({ length: times }, () => {
    const startedAtMs = performance.now();
    work();
    return performance.now() - startedAtMs;
  });
  return percentile(durations, 99);
}
