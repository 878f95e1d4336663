// Owns the seam between the decoder writer and the forms a weight matrix can take: what a form is given, what it must emit.
// Knows nothing about quantisation; the forms other than float32 live in `quantise/`.
import type { Precision } from '../manifest.ts';
import type { CacheScales } from './kv-cache.ts';
import type { SourceType } from '../readers/tensors.ts';
import { DataType, type GraphBuilder } from './onnx.ts';

/** Rows of one linear layer, possibly of several stacked tensors (q, k and v; gate and up), read a few rows at a time. */
export interface LinearWeights {
  /** Prefix for the names of initialisers; two layers with the same name have the same weights (a tied head). */
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** [outFeatures], or null. */
  readonly bias: Float32Array | null;
  /** Storage type that all parts share and that `readRaw` gives; null when they differ or when factors were folded in. */
  readonly sourceType: SourceType | null;
  /** [count, inFeatures], row-major. */
  readF32(from: number, count: number): Float32Array;
  /** The same rows as stored; throws when `sourceType` is null. */
  readRaw(from: number, count: number): Uint8Array;
}

/** One form of a linear layer: y = x·Wᵀ + bias. */
export interface LinearFormat {
  readonly name: string;
  /** Bits a weight, scales included. */
  readonly bits: number;
  /** Adds initialisers and nodes and returns `out`. `x` is [batch, tokens, inFeatures] in the body and [rows, inFeatures] at
   * the head, so nodes must hold for both ranks. */
  emit(b: GraphBuilder, x: string, weights: LinearWeights, out: string): string;
}

/** One form of the token embedding table. */
export interface EmbeddingFormat {
  readonly name: string;
  readonly bits: number;
  /** Adds the table and a gather: int64 [batch, tokens] → float32 [batch, tokens, inFeatures]; returns `out`. The table's
   * `weights.name` equals that of a tied head, which comes later and may share what was added here. */
  emit(b: GraphBuilder, ids: string, weights: LinearWeights, out: string): string;
}

/** The projections of a layer, and the output head. */
export type Projection = 'qkv' | 'attn_out' | 'gate_up' | 'down' | 'head';

/** SmoothQuant factors of one layer (arXiv 2211.10438): the input channel j of a projection is divided by factor j, and column
 * j of its weights multiplied. The divisions are folded into whatever makes that input; null leaves a projection as it is. */
export interface LayerSmoothing {
  /** [hidden]; folded into the norm before attention. */
  readonly qkv: Float32Array | null;
  /** [kvHeads · headDim]; folded into the rows of v; query heads that share a key-value head share its factors. */
  readonly attnOut: Float32Array | null;
  /** [hidden]; folded into the norm before the MLP. */
  readonly gateUp: Float32Array | null;
  /** [intermediate]; folded into the rows of up. */
  readonly down: Float32Array | null;
}

/** What each part of one variant becomes. */
export interface PrecisionPlan {
  readonly precision: Precision;
  /** In words, for people: "Q4_1 blocks mapped exactly". */
  readonly method: string;
  readonly embedding: EmbeddingFormat;
  /** `layer` is null for the head. */
  format(layer: number | null, projection: Projection): LinearFormat;
  smoothing(layer: number): LayerSmoothing | null;
  /** For a second graph with an 8-bit KV cache; null: none is made. */
  readonly cacheScales: CacheScales | null;
}

/** Rows read at a time, so that memory stays near this many bytes whatever the tensor's size. */
const SLAB_BYTES = 1 << 24;

/** Splits a layer's rows into slabs of about 16 MB as float32. */
export function* rowSlabs(weights: LinearWeights): Generator<{ readonly from: number; readonly count: number }> {
  const step = Math.max(1, Math.floor(SLAB_BYTES / (4 * weights.inFeatures)));
  for (let from = 0; from < weights.outFeatures; from += step) {
    yield { from, count: Math.min(step, weights.outFeatures - from) };
  }
}

/** Adds the layer's bias to `product`, or nothing when there is none; returns `out` either way. Forms whose operator takes a
 * bias itself do not need it: they ask for `product` by `productName`. */
export function addBias(b: GraphBuilder, product: string, weights: LinearWeights, out: string): string {
  if (weights.bias === null) return out;
  const bias = b.initializer({ name: `${weights.name}.bias`, type: DataType.float32, dims: [weights.outFeatures] }, weights.bias);
  return b.node({ op: 'Add', inputs: [product, bias], outputs: [out] });
}

/** Name of the product before the bias: `out` itself when there is no bias. */
export function productName(weights: LinearWeights, out: string): string {
  return weights.bias === null ? out : `${out}.product`;
}
