// Owns a walk through a decoder, one layer at a time: what every sequence of a text has become so far, and what the next layer's
// projections read of it. One layer's weights are in memory at once. Knows nothing about rounding.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bug } from '../../errors.ts';
import { OrtSession, OrtTensor, RunBinding } from '../../ort/index.ts';
import { writeDecoderLayer } from '../graph/decoder.ts';
import type { DecoderWeights } from '../graph/decoder-weights.ts';
import { float32Linear, float32Plan } from '../graph/float32.ts';
import type { LinearFormat, PrecisionPlan, Projection } from '../graph/linear.ts';
import { DataType, GraphBuilder } from '../graph/onnx.ts';
import { WeightsFile } from '../graph/weights-file.ts';

export type LayerProjection = Exclude<Projection, 'head'>;
/** The forms of one layer's projections; those that have none yet are float32. */
export type LayerFormats = Readonly<Partial<Record<LayerProjection, LinearFormat>>>;

export interface LayerWalkOptions {
  readonly weights: DecoderWeights;
  /** Each at most a few hundred tokens: attention takes memory by their square. */
  readonly sequences: readonly Int32Array[];
  /** An empty folder for the graphs of single layers. */
  readonly folder: string;
  readonly threads: number;
}

export interface Moments {
  /** Channels that are seen together. */
  readonly span: number;
  readonly sums: Float64Array;
}

const MOMENTS = 'moments';
/** Most channels that are seen together: factoring takes time by the third power, and memory by the second. */
const MOST_SPAN = 2048;
const BLOCK = 32;

/** The largest part of a width that divides it into equal spans of whole blocks. */
export function spanOf(width: number): number {
  if (width <= MOST_SPAN || width % BLOCK !== 0) return width;
  for (let span = MOST_SPAN; span > BLOCK; span -= BLOCK) if (width % span === 0) return span;
  return BLOCK;
}

export class LayerWalk {
  readonly #options: LayerWalkOptions;
  /** [tokens, hidden] of each sequence: the input of the next layer. */
  #hidden: readonly Float32Array[];

  constructor(options: LayerWalkOptions) {
    this.#options = options;
    this.#hidden = options.sequences.map((tokens) => embed(options.weights, tokens));
  }

  /** Σ xᵀx of what a projection of this layer reads, over all sequences, for one span of its channels after another:
   *  [width / span, span, span]. */
  async moments(layer: number, projection: LayerProjection, formats: LayerFormats): Promise<Moments> {
    const width = inputWidth(this.#options.weights, layer, projection);
    const span = spanOf(width);
    const format = withMoments(formats[projection] ?? float32Linear, { width, span });
    const sum = new Float64Array(width * span);
    const part = new Float32Array(new ArrayBuffer(sum.length * 4));
    const extras = { [MOMENTS]: OrtTensor.over(part, [width / span, span, span]) };
    await this.#run(layer, { ...formats, [projection]: format }, extras, () => {
      for (let at = 0; at < part.length; at++) sum[at] = (sum[at] ?? 0) + (part[at] ?? 0);
    });
    return { span, sums: sum };
  }

  /** Goes through this layer in the given forms; the next one reads what comes out. */
  async advance(layer: number, formats: LayerFormats): Promise<void> {
    const next: Float32Array[] = [];
    await this.#run(layer, formats, {}, (hidden) => next.push(hidden));
    this.#hidden = next;
  }

  async #run(
    layer: number,
    formats: LayerFormats,
    extras: Readonly<Record<string, OrtTensor>>,
    onSequence: (hidden: Float32Array<ArrayBuffer>) => void,
  ): Promise<void> {
    const folder = join(this.#options.folder, `layer-${layer}`);
    await mkdir(folder, { recursive: true });
    try {
      using session = OrtSession.create(await this.#writeGraph(layer, formats, folder), { threads: this.#options.threads });
      for (const hidden of this.#hidden) onSequence(await this.#runSequence(session, layer, { hidden, extras }));
    } finally {
      for (const tensor of Object.values(extras)) tensor.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #writeGraph(layer: number, formats: LayerFormats, folder: string): Promise<string> {
    const path = join(folder, 'graph.onnx');
    using file = new WeightsFile(join(folder, 'weights.bin'));
    const b = new GraphBuilder(file, 'weights.bin');
    const plan: PrecisionPlan = {
      ...float32Plan,
      format: (_layer, projection) => (projection === 'head' ? undefined : formats[projection]) ?? float32Linear,
    };
    writeDecoderLayer({ b, weights: this.#options.weights, plan }, layer);
    await writeFile(path, b.finish());
    return path;
  }

  async #runSequence(
    session: OrtSession,
    layer: number,
    { hidden, extras }: { readonly hidden: Float32Array; readonly extras: Readonly<Record<string, OrtTensor>> },
  ): Promise<Float32Array<ArrayBuffer>> {
    const { kvHeadCount, headDim, hiddenSize } = this.#options.weights.config;
    const count = hidden.length / hiddenSize;
    const shape = [1, count, hiddenSize];
    const out = new Float32Array(new ArrayBuffer(hidden.length * 4));
    const cache = (): OrtTensor => OrtTensor.over(new Float32Array(kvHeadCount * count * headDim), [1, kvHeadCount, count, headDim]);
    const [k, v] = [cache(), cache()];
    const places = {
      seqlens_k: OrtTensor.over(Int32Array.of(count - 1), [1]),
      total_sequence_length: OrtTensor.over(Int32Array.of(count), []),
      rows: OrtTensor.over(
        BigInt64Array.from({ length: count }, (_, row) => BigInt(row)),
        [count],
      ),
    };
    const own = { hidden: OrtTensor.over(hidden, shape), ...places, [`past_k_${layer}`]: k, [`past_v_${layer}`]: v };
    const wanted = new Set(session.inputs.map(({ name }) => name));
    const inputs = Object.fromEntries(Object.entries(own).filter(([name]) => wanted.has(name)));
    const result = OrtTensor.over(out, shape);
    const outputs = { hidden_out: result, [`present_k_${layer}`]: k, [`present_v_${layer}`]: v, ...extras };
    try {
      await new RunBinding(session, { inputs, outputs }).runAsync();
    } finally {
      for (const tensor of [...Object.values(own), result]) tensor.dispose();
    }
    return out;
  }
}

interface Spans {
  readonly width: number;
  readonly span: number;
}

/** The same form, with an output for the second moments of its input. */
function withMoments(format: LinearFormat, { width, span }: Spans): LinearFormat {
  return {
    ...format,
    emit(b, x, weights, out) {
      const spans = b.node({ op: 'Reshape', inputs: [x, b.int64(-1, width / span, span)], outputs: [`${MOMENTS}.spans`] });
      const rows = (name: string, ...perm: readonly number[]): string =>
        b.node({ op: 'Transpose', inputs: [spans], outputs: [`${MOMENTS}.${name}`], attributes: { perm } });
      b.node({ op: 'MatMul', inputs: [rows('columns', 1, 2, 0), rows('rows', 1, 0, 2)], outputs: [MOMENTS] });
      b.output(MOMENTS, DataType.float32, [width / span, span, span]);
      return format.emit(b, x, weights, out);
    },
  };
}

function inputWidth({ config }: DecoderWeights, layer: number, projection: LayerProjection): number {
  if (config.layers[layer] === undefined) bug(`There is no layer ${layer}.`);
  if (projection === 'attn_out') return config.headCount * config.headDim;
  return projection === 'down' ? config.intermediateSize : config.hiddenSize;
}

/** What the first layer reads: [tokens, hidden]. */
function embed(weights: DecoderWeights, tokens: Int32Array): Float32Array {
  const { hiddenSize, embeddingScale } = weights.config;
  const table = weights.embedding();
  const rows = new Float32Array(tokens.length * hiddenSize);
  tokens.forEach((token, at) => rows.set(table.readF32(token, 1), at * hiddenSize));
  return embeddingScale === 1 ? rows : rows.map((value) => value * embeddingScale);
}
