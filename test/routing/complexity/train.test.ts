import { describe, expect, it } from 'vitest';
import { evaluateRouter } from '../../../engine/routing/complexity/evaluate.ts';
import { readSurface } from '../../../engine/routing/complexity/features.ts';
import type { GradedRow } from '../../../engine/routing/complexity/graded.ts';
import { createComplexityScorer } from '../../../engine/routing/complexity/predict.ts';
import { seededRandom } from '../../../engine/routing/complexity/random.ts';
import { fitProjection, trainRouter, type Sample } from '../../../engine/routing/complexity/train.ts';
import { validateRouter } from '../../../engine/routing/complexity/validate.ts';
import { gradedPrompts } from './graded-prompts.ts';

const PROVENANCE = { data: 'made', licence: 'own', rows: 0, subjects: 16, date: '2026-01-01', seed: 1, validation: [] };
const PLAIN = { seed: 1, projection: null, shrinkage: null, provenance: PROVENANCE };

function samplesOf(count: number, seed: number): readonly Sample[] {
  return gradedPrompts(count, seed).map(({ prompt, weak, strong, ...rest }) => {
    const facts = { text: prompt, turns: 0, tools: 0, schema: false };
    return { row: { ...rest, facts, weak: Number(weak), strong: Number(strong) }, surface: readSurface(facts), embedding: null };
  });
}

const rowsOf = (samples: readonly Sample[]): readonly GradedRow[] => samples.map(({ row }) => row);

/** The same prompt throughout; the grade follows the first coordinate of a random direction. */
function samplesByEmbedding(count: number): readonly Sample[] {
  const random = seededRandom(3);
  const facts = { text: 'What is the name of the river?', turns: 0, tools: 0, schema: false };
  return Array.from({ length: count }, (_, index) => {
    const raw = Array.from({ length: 8 }, () => random() - 0.5);
    const length = Math.hypot(...raw);
    const embedding = Float32Array.from(raw, (value) => value / length);
    const weak = (embedding[0] ?? 0) > 0 ? 0 : 1;
    return { row: { benchmark: 'made', subject: `subject ${index % 16}`, facts, weak, strong: 1 }, surface: readSurface(facts), embedding };
  });
}

describe('trainRouter', () => {
  it('ranks unseen prompts by what a stronger model gains', () => {
    const scorer = createComplexityScorer(trainRouter(samplesOf(600, 1), PLAIN));
    const [report] = evaluateRouter(scorer, rowsOf(samplesOf(400, 2)), null);
    // Hard prompts first, a tenth of the grades wrong on either side: near 0.7; chance has 0.5.
    expect(report?.router.apgr).toBeGreaterThan(0.65);
    expect(report?.router).toMatchObject({ rows: 400, strongAccuracy: 1 });
  });

  it('gives the same model for the same seed, after any reading and writing', () => {
    const samples = samplesOf(300, 1);
    const model = trainRouter(samples, PLAIN);
    expect(trainRouter(samples, PLAIN)).toEqual(model);
    const [first, again] = [model, JSON.parse(JSON.stringify(model)) as typeof model].map(createComplexityScorer);
    for (const { row } of samples.slice(0, 20)) expect(again?.score(row.facts)).toEqual(first?.score(row.facts));
  });

  it('learns from embeddings what the surface does not tell', () => {
    const samples = samplesByEmbedding(400);
    const projection = fitProjection(samples, 'encoder');
    const scorer = createComplexityScorer(trainRouter(samples, { ...PLAIN, projection }));
    expect(scorer.encoder).toBe('encoder');
    const embeddings = samples.map(({ embedding }) => embedding ?? []);
    expect(evaluateRouter(scorer, rowsOf(samples), embeddings)[0]?.router.apgr).toBeGreaterThan(0.7);
    expect(evaluateRouter(scorer, rowsOf(samples), null)[0]?.router.apgr).toBeCloseTo(0.5, 9);
  });

  it('falls back to the surface for a vector of another width', () => {
    const samples = samplesByEmbedding(200);
    const scorer = createComplexityScorer(trainRouter(samples, { ...PLAIN, projection: fitProjection(samples, 'encoder') }));
    const facts = samples[0]?.row.facts ?? { text: '', turns: 0, tools: 0, schema: false };
    expect(scorer.score(facts, new Float32Array(5))).toEqual(scorer.score(facts));
    expect(scorer.score(facts, samples[0]?.embedding ?? []).basis).toBe('embedding');
  });

  it('makes something of a single row', () => {
    const scorer = createComplexityScorer(trainRouter(samplesOf(1, 1), PLAIN));
    expect(scorer.score({ text: 'Hello!', turns: 0, tools: 0, schema: false }).value).toBeCloseTo(0.5, 6);
  });
});

describe('validateRouter', () => {
  it('tells what it left out, beside the length alone', () => {
    const { reports, shrinkage } = validateRouter(samplesOf(480, 1), { seeds: [1, 2], projection: null });
    expect(reports.map(({ basis, leftOut, seeds }) => [basis, leftOut, seeds])).toEqual([
      ['length', 'subjects', 2],
      ['surface', 'subjects', 2],
    ]);
    expect(reports[1]?.apgr).toBeGreaterThan(0.65);
    for (const { surface } of [shrinkage.choice, shrinkage.problem]) expect(surface >= 0 && surface <= 1).toBe(true);
  });

  it('leaves out prompts where subjects are few', () => {
    const samples = samplesOf(100, 1).map((sample) => ({ ...sample, row: { ...sample.row, subject: 'one' } }));
    expect(validateRouter(samples, { seeds: [1], projection: null }).reports[0]?.leftOut).toBe('prompts');
  });
});
