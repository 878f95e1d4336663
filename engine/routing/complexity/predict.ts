// Owns the score of one prompt: complexity in 0..1 from its surface and, where there is one, its embedding. Pure once the model is read.
import { chooseExpert, EXPERTS, type ExpertName, type Part } from './experts.ts';
import { readSurface, type Feature, type PromptFacts, type Surface } from './features.ts';
import { dot, kernelRow, type Kernel } from './kernel.ts';
import { decodeFloats, type EmbeddingModel, type ExpertModel, type KernelModel, type RouterModel } from './model.ts';

export interface Complexity {
  /** 0..1, rising with what a stronger model is expected to gain; 0.5 is the mean of the training prompts. */
  readonly value: number;
  /** Expected correctness of the stronger model less that of the weaker one, in -1..1. */
  readonly expectedGain: number;
  readonly expert: ExpertName;
  readonly basis: 'surface' | 'embedding';
  /** What the surface says, strongest first, at most three: in standard deviations of the expert's linear part. */
  readonly reasons: readonly { readonly feature: Feature; readonly weight: number }[];
}

export interface ComplexityScorer {
  /** The encoder whose vectors it understands; null for none. */
  readonly encoder: string | null;
  /** `embedding` is that encoder's vector of the text, of length 1. */
  score(facts: PromptFacts, embedding?: ArrayLike<number>): Complexity;
  /** The same for a prompt that has been read. */
  scoreSurface(surface: Surface, embedding?: ArrayLike<number>): Complexity;
}

export function createComplexityScorer(model: RouterModel): ComplexityScorer {
  const experts = { choice: new Expert(model.experts.choice), problem: new Expert(model.experts.problem) };
  const embedder = model.embedding === null ? null : new Embedder(model.embedding);
  const scoreSurface = (surface: Surface, embedding?: ArrayLike<number>): Complexity => {
    const name = chooseExpert(surface);
    const expert = experts[name];
    const point = standardise(surface, expert.model);
    const vector = embedding === undefined || embedder === null ? null : embedder.output(name, expert, point, embedding);
    const expectedGain = expert.expectedGain(point, surface, vector);
    const { mean, deviation } = model.scale;
    // Logistic with the slope of the normal distribution: no two prompts share an end of the scale.
    const value = 1 / (1 + Math.exp((-1.702 * (expectedGain - mean)) / deviation));
    return { value, expectedGain, expert: name, basis: vector === null ? 'surface' : 'embedding', reasons: expert.reasons(point) };
  };
  return {
    encoder: model.embedding?.model ?? null,
    score: (facts, embedding) => scoreSurface(readSurface(facts), embedding),
    scoreSurface,
  };
}

// prettier-ignore
const OPTION_FEATURES: ReadonlySet<Feature> = new Set<Feature>([
  'optionLength', 'optionSpread', 'oneWord', 'numeric', 'combined', 'overlap', 'echo', 'optionChange', 'optionVerdict', 'optionReason', 'optionCapital',
]);
const MOST_DEVIATIONS = 3;

/** [features], in standard deviations, at most three. Features of options are the mean where there are none. */
export function standardise(surface: Surface, { features, spreads }: Pick<ExpertModel, 'features' | 'spreads'>): Float64Array {
  const isOpen = surface.question.options.length === 0;
  return Float64Array.from(features, (feature, index) => {
    const { mean, deviation } = spreads[index] ?? { mean: 0, deviation: 0 };
    if (deviation === 0 || (isOpen && OPTION_FEATURES.has(feature))) return 0;
    return Math.max(-MOST_DEVIATIONS, Math.min(MOST_DEVIATIONS, (surface.values[feature] - mean) / deviation));
  });
}

/** One expert, its numbers decoded. */
class Expert {
  readonly model: ExpertModel;
  readonly #kernel: DecodedKernel;

  constructor(model: ExpertModel) {
    this.model = model;
    this.#kernel = new DecodedKernel(model.kernel, model.features);
  }

  expectedGain(point: Float64Array, surface: Surface, embedding: number | null): number {
    const outputs = { linear: dot(point, this.model.linear), kernel: this.#kernel.output(point, []), length: surface.values.length };
    const { mean, slope, embeddedSlope } = this.model.gain;
    if (embedding === null) return mean + slope * blend(this.model.parts, outputs);
    return mean + embeddedSlope * blend(this.model.parts, { ...outputs, embedding });
  }

  reasons(point: Float64Array): Complexity['reasons'] {
    const { features, linear, parts } = this.model;
    const unit = parts.linear?.deviation ?? 1;
    return features
      .map((feature, index) => ({ feature, weight: ((point[index] ?? 0) * (linear[index] ?? 0)) / unit }))
      .filter(({ weight }) => Math.abs(weight) > 0.1)
      .sort((left, right) => Math.abs(right.weight) - Math.abs(left.weight))
      .slice(0, 3);
  }
}

/** Sum of the parts' outputs in their own standard deviations, by their shares. */
export function blend(parts: ExpertModel['parts'], outputs: Readonly<Partial<Record<Part, number>>>): number {
  let score = 0;
  for (const part of ['linear', 'kernel', 'length', 'embedding'] as const) {
    const [spread, output] = [parts[part], outputs[part]];
    if (spread === undefined || output === undefined || spread.deviation === 0) continue;
    score += (spread.weight * (output - spread.mean)) / spread.deviation;
  }
  return score;
}

class DecodedKernel {
  readonly #columns: readonly number[];
  readonly #kernel: Kernel;
  readonly #weights: Float64Array;

  constructor(model: KernelModel, features: readonly Feature[]) {
    this.#columns = model.features.map((feature) => features.indexOf(feature));
    this.#weights = decodeFloats(model.weights);
    const landmarks = decodeFloats(model.landmarks);
    this.#kernel = { width: landmarks.length / this.#weights.length, gamma: model.gamma, landmarks };
  }

  output(point: Float64Array, components: readonly number[]): number {
    return dot(kernelRow(this.#kernel, [...this.#columns.map((column) => point[column] ?? 0), ...components]), this.#weights);
  }
}

class Embedder {
  readonly #mean: Float64Array;
  readonly #rows: readonly Float64Array[];
  readonly #model: EmbeddingModel;
  readonly #kernels = new Map<ExpertName, DecodedKernel>();

  constructor(model: EmbeddingModel) {
    this.#model = model;
    this.#mean = decodeFloats(model.mean);
    const projection = decodeFloats(model.projection);
    this.#rows = Array.from({ length: projection.length / model.width }, (_, row) =>
      projection.subarray(row * model.width, (row + 1) * model.width),
    );
  }

  /** Null when this expert was trained without embeddings, or the vector is of another encoder. */
  output(name: ExpertName, expert: Expert, point: Float64Array, vector: ArrayLike<number>): number | null {
    const kernel = this.#kernels.get(name) ?? this.#decode(name, expert);
    return kernel === null || vector.length !== this.#model.width ? null : kernel.output(point, project(vector, this.#mean, this.#rows));
  }

  #decode(name: ExpertName, expert: Expert): DecodedKernel | null {
    const model = this.#model.kernels[name];
    if (model === undefined) return null;
    const kernel = new DecodedKernel(model, expert.model.features);
    this.#kernels.set(name, kernel);
    return kernel;
  }
}

/** Coordinates of a vector along the rows, from the mean. */
export function project(vector: ArrayLike<number>, mean: Float64Array, rows: readonly Float64Array[]): readonly number[] {
  const centred = Float64Array.from(mean, (value, index) => (vector[index] ?? 0) - value);
  return rows.map((row) => dot(row, centred));
}

/** The features an expert reads, each once. */
export function featuresOf(name: ExpertName): readonly Feature[] {
  return [...new Set([...(Object.keys(EXPERTS[name].signs) as Feature[]), ...EXPERTS[name].kernel])];
}
