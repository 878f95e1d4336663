// Owns how a trained router is judged on subjects it has not seen: folds, repeated over seeds. Pure, from its seeds.
import { chooseExpert, type ExpertName } from './experts.ts';
import { measureRouter, type Outcome, type RouterMetrics } from './metrics.ts';
import type { Provenance } from './model.ts';
import { createComplexityScorer } from './predict.ts';
import { seededRandom, shuffled } from './random.ts';
import { trainRouter, type GainScales, type Projection, type Sample } from './train.ts';

export interface ValidationReport {
  readonly benchmark: string;
  readonly basis: 'surface' | 'embedding' | 'length';
  /** What was left out: whole subjects where a benchmark has enough of them, single prompts otherwise. */
  readonly leftOut: 'subjects' | 'prompts';
  readonly folds: number;
  readonly seeds: number;
  /** Means over folds and seeds, each fold ranked by itself. */
  readonly apgr: number;
  /** Standard deviation of a single fold's APGR. */
  readonly apgrDeviation: number;
  readonly cpt50: number;
  readonly cpt80: number;
  readonly strongShareAt95: number;
}

export interface Validation {
  readonly reports: readonly ValidationReport[];
  /** How left-out scores translate into gains. */
  readonly gains: GainScales;
}

export interface ValidateOptions {
  readonly seeds: readonly number[];
  readonly projection: Projection | null;
}

type Basis = ValidationReport['basis'];
/** A left-out prompt with the scores it got. */
interface Scored {
  readonly sample: Sample;
  readonly fold: string;
  readonly scores: Readonly<Record<Basis, number>>;
}

const FOLDS = 4;
/** Of no account to validation: a fold's model is thrown away. */
const NO_PROVENANCE: Provenance = { data: '', licence: '', rows: 0, subjects: 0, date: '', seed: 0, validation: [] };

export function validateRouter(samples: readonly Sample[], options: ValidateOptions): Validation {
  const scored = options.seeds.flatMap((seed) => scoreLeftOut(samples, seed, options.projection));
  const benchmarks = [...new Set(samples.map(({ row }) => row.benchmark))];
  const bases: readonly Basis[] = options.projection === null ? ['length', 'surface'] : ['length', 'surface', 'embedding'];
  const reports = benchmarks.flatMap((benchmark) =>
    bases.map((basis) => {
      const own = scored.filter(({ sample }) => sample.row.benchmark === benchmark);
      return report(own, {
        benchmark,
        basis,
        seeds: options.seeds.length,
        leftOut: leavesSubjects(samples, benchmark) ? 'subjects' : 'prompts',
      });
    }),
  );
  return { reports, gains: { choice: gainScale(scored, 'choice'), problem: gainScale(scored, 'problem') } };
}

function leavesSubjects(samples: readonly Sample[], benchmark: string): boolean {
  return new Set(samples.flatMap(({ row }) => (row.benchmark === benchmark ? [row.subject] : []))).size >= 2 * FOLDS;
}

function scoreLeftOut(samples: readonly Sample[], seed: number, projection: Projection | null): readonly Scored[] {
  const folds = assignFolds(samples, seed);
  return Array.from({ length: FOLDS }, (_, fold) => {
    const training = samples.filter((__, index) => folds[index] !== fold);
    if (training.length === 0 || training.length === samples.length) return [];
    const scorer = createComplexityScorer(trainRouter(training, { seed, projection, gains: null, provenance: NO_PROVENANCE }));
    return samples
      .filter((__, index) => folds[index] === fold)
      .map((sample) => {
        const surface = scorer.scoreSurface(sample.surface).expectedGain;
        const embedding = scorer.scoreSurface(sample.surface, sample.embedding ?? undefined).expectedGain;
        return { sample, fold: `${seed}/${fold}`, scores: { surface, embedding, length: sample.surface.values.length } };
      });
  }).flat();
}

/** The fold of each sample. */
function assignFolds(samples: readonly Sample[], seed: number): readonly number[] {
  const random = seededRandom(seed);
  const folds = new Map<string, number>();
  const keyOf = (sample: Sample, index: number): string =>
    leaving.get(sample.row.benchmark) === true ? `${sample.row.benchmark}\n${sample.row.subject}` : String(index);
  const leaving = new Map([...new Set(samples.map(({ row }) => row.benchmark))].map((name) => [name, leavesSubjects(samples, name)]));
  const keys = samples.map(keyOf);
  for (const [index, key] of shuffled([...new Set(keys)], random).entries()) folds.set(key, index % FOLDS);
  return keys.map((key) => folds.get(key) ?? 0);
}

function report(scored: readonly Scored[], told: Pick<ValidationReport, 'benchmark' | 'basis' | 'seeds' | 'leftOut'>): ValidationReport {
  const byFold = [...Map.groupBy(scored, ({ fold }) => fold).values()];
  const metrics = byFold.map((fold) => measureRouter(fold.map((item) => toOutcome(item, told.basis))));
  const figure = (key: 'apgr' | 'cpt50' | 'cpt80' | 'strongShareAt95'): number => meanOf(metrics, key).mean;
  const { mean, deviation } = meanOf(metrics, 'apgr');
  return {
    ...told,
    folds: FOLDS,
    apgr: round(mean),
    apgrDeviation: round(deviation),
    cpt50: round(figure('cpt50')),
    cpt80: round(figure('cpt80')),
    strongShareAt95: round(figure('strongShareAt95')),
  };
}

function toOutcome({ sample, scores }: Scored, basis: Basis): Outcome {
  return { score: scores[basis], weak: sample.row.weak, strong: sample.row.strong };
}

/** Over those folds that have the figure. */
function meanOf(
  metrics: readonly RouterMetrics[],
  key: 'apgr' | 'cpt50' | 'cpt80' | 'strongShareAt95',
): { mean: number; deviation: number } {
  const values = metrics.flatMap((item) => item[key] ?? []);
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length)) };
}

/** Slope of the least-squares line from left-out scores to gains, never below a hundredth: the order must stay. */
function gainScale(scored: readonly Scored[], name: ExpertName): GainScales[ExpertName] {
  const own = scored.filter(({ sample }) => chooseExpert(sample.surface) === name);
  const rows = own.length === 0 ? scored : own;
  const gains = rows.map(({ sample }) => sample.row.strong - sample.row.weak);
  const slopeOf = (basis: Basis): number =>
    Math.max(
      0.01,
      slope(
        rows.map(({ scores }) => scores[basis]),
        gains,
      ),
    );
  const mean = gains.reduce((sum, value) => sum + value, 0) / Math.max(1, gains.length);
  return { mean: round(mean), slope: round(slopeOf('surface')), embeddedSlope: round(slopeOf('embedding')) };
}

function slope(inputs: readonly number[], outputs: readonly number[]): number {
  const middle = inputs.reduce((sum, value) => sum + value, 0) / Math.max(1, inputs.length);
  const variance = inputs.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const shared = inputs.reduce((sum, value, index) => sum + (value - middle) * (outputs[index] ?? 0), 0);
  return variance === 0 ? 0 : shared / variance;
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
