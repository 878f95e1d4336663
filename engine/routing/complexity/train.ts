// Owns the fitting of a router's model from graded prompts: reproducible, from its seed. Knows nothing about files.
import { chooseExpert, EXPERTS, type ExpertName, type ExpertSpec, type Part } from './experts.ts';
import type { Feature, Surface } from './features.ts';
import type { GradedRow } from './graded.ts';
import { dot, kernelRow, type Kernel } from './kernel.ts';
import {
  centredGram,
  centredProduct,
  columnMeans,
  matrixOf,
  signedRidge,
  solvePositive,
  topEigenvectors,
  type Matrix,
} from './linear-algebra.ts';
import { encodeFloats, FORMAT, type ExpertModel, type KernelModel, type Provenance, type RouterModel, type Spread } from './model.ts';
import { blend, createComplexityScorer, featuresOf, project, standardise } from './predict.ts';
import { seededRandom, shuffled } from './random.ts';
import { lineSlope, spreadOf } from './statistics.ts';

export interface Sample {
  readonly row: GradedRow;
  readonly surface: Surface;
  /** The encoder's vector of the prompt, of length 1; null for training without. */
  readonly embedding: Float32Array | null;
}

/** The axes along which embeddings vary most, from all prompts alike: no grade is looked at. */
export interface Projection {
  readonly model: string;
  readonly width: number;
  readonly mean: Float64Array;
  readonly rows: readonly Float64Array[];
}

/** What is left on unseen subjects of the gains that an expert promises, as a factor on its slope. */
export type Shrinkage = Readonly<Record<ExpertName, Readonly<Record<'surface' | 'embedding', number>>>>;

export interface TrainOptions {
  readonly seed: number;
  readonly projection: Projection | null;
  /** As found on left-out subjects; null promises what the training rows say. */
  readonly shrinkage: Shrinkage | null;
  readonly provenance: Provenance;
}

const LANDMARKS = 150;
const COMPONENTS = 20;
/** Standard deviations of the first component in the kernel's space: embeddings must not drown the other features. */
const EMBEDDING_REACH = 3;
/** An expert with fewer prompts of its own learns from all. */
const FEWEST_ROWS = 100;
const NO_SHRINKAGE = { surface: 1, embedding: 1 };

export function trainRouter(samples: readonly Sample[], options: TrainOptions): RouterModel {
  const choice = trainExpert('choice', samples, options);
  const problem = trainExpert('problem', samples, options);
  const { projection, provenance } = options;
  const model: RouterModel = {
    format: FORMAT,
    provenance,
    experts: { choice: choice.model, problem: problem.model },
    embedding: projection === null || choice.embedded === null ? null : toEmbeddingModel(projection, choice.embedded),
    scale: { mean: 0, deviation: 1 },
  };
  return { ...model, scale: gainScale(model, samples) };
}

function toEmbeddingModel({ model, width, mean, rows }: Projection, choice: KernelModel): RouterModel['embedding'] {
  return { model, width, mean: encodeFloats(mean), projection: encodeFloats(matrixOf(rows, width).values), kernels: { choice } };
}

function gainScale(model: RouterModel, samples: readonly Sample[]): RouterModel['scale'] {
  const scorer = createComplexityScorer(model);
  const spread = spreadOf(samples.map(({ surface }) => scorer.scoreSurface(surface).expectedGain));
  return spread.deviation === 0 ? { ...spread, deviation: 1 } : spread;
}

function trainExpert(
  name: ExpertName,
  all: readonly Sample[],
  options: TrainOptions,
): { model: ExpertModel; embedded: KernelModel | null } {
  const own = all.filter(({ surface }) => chooseExpert(surface) === name);
  const samples = own.length < FEWEST_ROWS ? all : own;
  const spec = EXPERTS[name];
  const features = featuresOf(name);
  const spreads = features.map((feature) => spreadOf(samples.map(({ surface }) => surface.values[feature])));
  const points = samples.map(({ surface }) => standardise(surface, { features, spreads }));
  const target = Float64Array.from(samples, ({ row }) => row.strong - row.weak);
  const linear = fitLinear(points, target, spec, features);
  const kernel = fitKernel(points, target, { spec, features, seed: options.seed, components: null });
  const embedded = spec.weights.embedding === 0 ? null : fitEmbedded(samples, points, target, { spec, features, options });
  const outputs: PartOutputs = {
    linear: points.map((point) => dot(point, linear)),
    kernel: kernel.outputs,
    length: samples.map(({ surface }) => surface.values.length),
    embedding: embedded?.outputs ?? null,
  };
  const parts = partsOf(outputs, spec.weights);
  const gain = gainOf(parts, outputs, target, options.shrinkage?.[name] ?? NO_SHRINKAGE);
  const traffic = { gain: expectedGains(parts, outputs, gain), strongAccuracy: spreadOf(samples.map(({ row }) => row.strong)).mean };
  const rounded = [...linear].map((weight) => Number(weight.toPrecision(6)));
  return {
    model: { features, spreads, linear: rounded, kernel: kernel.model, parts, gain, traffic },
    embedded: embedded?.model ?? null,
  };
}

/** [samples] of each part. */
type PartOutputs = Readonly<Record<Exclude<Part, 'embedding'>, readonly number[]>> & { readonly embedding: readonly number[] | null };

function partsOf({ embedding, ...outputs }: PartOutputs, weights: ExpertSpec['weights']): ExpertModel['parts'] {
  return {
    linear: { ...spreadOf(outputs.linear), weight: weights.linear },
    kernel: { ...spreadOf(outputs.kernel), weight: weights.kernel },
    length: { ...spreadOf(outputs.length), weight: weights.length },
    ...(embedding === null ? {} : { embedding: { ...spreadOf(embedding), weight: weights.embedding } }),
  };
}

/** The least-squares line from scores to gains, its slope shrunk. */
function gainOf(
  parts: ExpertModel['parts'],
  { embedding, ...outputs }: PartOutputs,
  target: Float64Array,
  shrinkage: Shrinkage[ExpertName],
): ExpertModel['gain'] {
  const gains = [...target];
  const slope = lineSlope(scoresOf(parts, outputs), gains) * shrinkage.surface;
  const embedded = scoresOf(parts, { ...outputs, embedding });
  const embeddedSlope = embedding === null ? slope : lineSlope(embedded, gains) * shrinkage.embedding;
  // The order must stay, whatever the line says.
  return { mean: spreadOf(gains).mean, slope: Math.max(SMALLEST_SLOPE, slope), embeddedSlope: Math.max(SMALLEST_SLOPE, embeddedSlope) };
}

const SMALLEST_SLOPE = 0.001;

/** [samples]; by the surface alone where the embedding's outputs are left out, or null. */
function scoresOf(parts: ExpertModel['parts'], { embedding = null, ...outputs }: Omit<PartOutputs, 'embedding'> & Partial<PartOutputs>) {
  return outputs.linear.map((linear, index) => {
    const surface = { linear, kernel: outputs.kernel[index] ?? 0, length: outputs.length[index] ?? 0 };
    return blend(parts, embedding === null ? surface : { ...surface, embedding: embedding[index] ?? 0 });
  });
}

function expectedGains(
  parts: ExpertModel['parts'],
  { embedding: _, ...outputs }: PartOutputs,
  { mean, slope }: ExpertModel['gain'],
): Spread {
  return spreadOf(scoresOf(parts, outputs).map((score) => mean + slope * score));
}

function fitLinear(points: readonly Float64Array[], target: Float64Array, spec: ExpertSpec, features: readonly Feature[]): Float64Array {
  const used = features.map((feature, index) => ({ index, sign: spec.signs[feature] })).filter(({ sign }) => sign !== undefined);
  const matrix = matrixOf(
    points.map((point) => used.map(({ index }) => point[index] ?? 0)),
    used.length,
  );
  const means = columnMeans(matrix);
  const signs = used.map(({ sign }) => sign ?? 0);
  const weights = signedRidge(centredGram(matrix, means), centredProduct(matrix, means, target), signs, spec.penalty.linear);
  const full = new Float64Array(features.length);
  for (const [at, { index }] of used.entries()) full[index] = weights[at] ?? 0;
  return full;
}

interface KernelTask {
  readonly spec: ExpertSpec;
  readonly features: readonly Feature[];
  readonly seed: number;
  /** Coordinates beside the features, one list per sample. */
  readonly components: readonly (readonly number[])[] | null;
}

/** Kernel ridge regression on a subset of the rows (Nyström; Williams and Seeger 2001), around its mean. */
function fitKernel(
  points: readonly Float64Array[],
  target: Float64Array,
  task: KernelTask,
): { readonly model: KernelModel; readonly outputs: readonly number[] } {
  const { spec, features, components } = task;
  const columns = spec.kernel.map((feature) => features.indexOf(feature));
  const inputs = points.map((point, index) => [...columns.map((column) => point[column] ?? 0), ...(components?.[index] ?? [])]);
  const chosen = shuffled(inputs, seededRandom(task.seed)).slice(0, LANDMARKS);
  const width = inputs[0]?.length ?? 0;
  // The file holds float32: training sees the same numbers.
  const kernel: Kernel = { width, gamma: spec.gamma, landmarks: Float64Array.from(Float32Array.from(matrixOf(chosen, width).values)) };
  const rows = matrixOf(
    inputs.map((input) => kernelRow(kernel, input)),
    chosen.length,
  );
  const weights = Float64Array.from(Float32Array.from(kernelWeights(rows, kernel, target, spec.penalty.kernel)));
  const outputs = inputs.map((_, index) => dot(weights, rows.values.subarray(index * rows.columns, (index + 1) * rows.columns)));
  return {
    model: { features: spec.kernel, gamma: spec.gamma, landmarks: encodeFloats(kernel.landmarks), weights: encodeFloats(weights) },
    outputs,
  };
}

function kernelWeights(rows: Matrix, kernel: Kernel, target: Float64Array, penalty: number): Float64Array {
  const means = columnMeans(rows);
  const system = centredGram(rows, means);
  const size = rows.columns;
  for (let landmark = 0; landmark < size; landmark++) {
    const between = kernelRow(kernel, kernel.landmarks.subarray(landmark * kernel.width, (landmark + 1) * kernel.width));
    for (let other = 0; other < size; other++) {
      const at = landmark * size + other;
      system[at] = (system[at] ?? 0) + penalty * ((between[other] ?? 0) + (other === landmark ? 1e-4 : 0));
    }
  }
  return solvePositive(system, centredProduct(rows, means, target));
}

function fitEmbedded(
  samples: readonly Sample[],
  points: readonly Float64Array[],
  target: Float64Array,
  { spec, features, options }: { spec: ExpertSpec; features: readonly Feature[]; options: TrainOptions },
): ReturnType<typeof fitKernel> | null {
  const { projection, seed } = options;
  if (projection === null) return null;
  const components = samples.map(({ embedding }) => project(embedding ?? [], projection.mean, projection.rows));
  return fitKernel(points, target, { spec: { ...spec, gamma: EMBEDDED_GAMMA }, features, seed, components });
}

const EMBEDDED_GAMMA = 0.01;

/** Principal components of the embeddings; null when a sample has none. */
export function fitProjection(samples: readonly Sample[], model: string): Projection | null {
  const vectors = samples.flatMap(({ embedding }) => (embedding === null ? [] : [embedding]));
  const width = vectors[0]?.length ?? 0;
  if (width === 0 || vectors.length < samples.length) return null;
  const matrix = matrixOf(vectors, width);
  const mean = Float64Array.from(Float32Array.from(columnMeans(matrix)));
  const { vectors: axes, values } = topEigenvectors(centredGram(matrix, mean), width, Math.min(COMPONENTS, width));
  const reach = EMBEDDING_REACH / Math.sqrt(Math.max(values[0] ?? 1, 1e-9) / vectors.length);
  return { model, width, mean, rows: axes.map((axis) => Float64Array.from(Float32Array.from(axis.map((value) => value * reach)))) };
}
