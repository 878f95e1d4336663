// Owns how a trained router is judged on subjects it has not seen: folds, repeated over seeds. Pure, from its seeds.
import { chooseExpert, type ExpertName } from './experts.ts';
import { measureRouter, type Outcome, type RouterMetrics } from './metrics.ts';
import type { Provenance, Spread } from './model.ts';
import { createComplexityScorer } from './predict.ts';
import { seededRandom, shuffled } from './random.ts';
import { spreadOf } from './statistics.ts';
import { trainRouter, type Shrinkage, type Projection, type Sample } from './train.ts';

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
  readonly shrinkage: Shrinkage;
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
  return { reports, shrinkage: { choice: shrinkageOf(scored, 'choice'), problem: shrinkageOf(scored, 'problem') } };
}

function leavesSubjects(samples: readonly Sample[], benchmark: string): boolean {
  return new Set(samples.flatMap(({ row }) => (row.benchmark === benchmark ? [row.subject] : []))).size >= 2 * FOLDS;
}

function scoreLeftOut(samples: readonly Sample[], seed: number, projection: Projection | null): readonly Scored[] {
  const folds = assignFolds(samples, seed);
  return Array.from({ length: FOLDS }, (_, fold) => {
    const training = samples.filter((__, index) => folds[index] !== fold);
    if (training.length === 0 || training.length === samples.length) return [];
    const scorer = createComplexityScorer(trainRouter(training, { seed, projection, shrinkage: null, provenance: NO_PROVENANCE }));
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
  const figure = (key: 'apgr' | 'cpt50' | 'cpt80' | 'strongShareAt95'): number => spreadOfFigure(metrics, key).mean;
  const { mean, deviation } = spreadOfFigure(metrics, 'apgr');
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
function spreadOfFigure(metrics: readonly RouterMetrics[], key: 'apgr' | 'cpt50' | 'cpt80' | 'strongShareAt95'): Spread {
  return spreadOf(metrics.flatMap((item) => item[key] ?? []));
}

/**
 * What left-out prompts keep of the gains that are promised, in 0..1.
 * NOTE: by ranks within a fold, not by least squares: then the area under the curve of promised gains is the one that was measured, and
 * a threshold on promised gains loses about what it promises to.
 */
function shrinkageOf(scored: readonly Scored[], name: ExpertName): Shrinkage[ExpertName] {
  const own = scored.filter(({ sample }) => chooseExpert(sample.surface) === name);
  const folds = [...Map.groupBy(own, ({ fold }) => fold).values()];
  return { surface: round(keptOf(folds, 'surface')), embedding: round(keptOf(folds, 'embedding')) };
}

function keptOf(folds: readonly (readonly Scored[])[], basis: Basis): number {
  let [real, promised] = [0, 0];
  for (const fold of folds)
    for (const [place, { sample, scores }] of fold.toSorted((left, right) => left.scores[basis] - right.scores[basis]).entries()) {
      const rank = (place + 0.5) / fold.length - 0.5;
      real += rank * (sample.row.strong - sample.row.weak);
      promised += rank * scores[basis];
    }
  return promised <= 0 ? 0 : Math.min(1, Math.max(0, real / promised));
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
