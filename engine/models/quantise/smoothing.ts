// Owns the factors of SmoothQuant (arXiv 2211.10438, equation 4), which move the spread of activations into the weights.
// Knows nothing about how maxima are measured.
import type { DecoderWeights } from '../graph/decoder-weights.ts';
import { type LayerSmoothing, type LinearWeights, rowSlabs } from '../graph/linear.ts';
import type { DecoderConfig } from '../manifest.ts';

/** Largest magnitude of each input channel of a layer's projections over the calibration text. */
export interface LayerMaxima {
  readonly qkv: Float32Array;
  readonly attnOut: Float32Array;
  readonly gateUp: Float32Array;
  readonly down: Float32Array;
  /** [kvHeads · headDim], of what the KV cache holds. */
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Share of the spread that moves into the weights, by measured divergence: 0.5 costs half as much again. */
const ALPHA = 0.6;
/** Inputs that share one scale a row spread further than inputs with a scale a block. */
const ALPHA_GATE_UP = 0.7;
/** Channels that never fire, or weights of zero, must not blow a factor up. */
const SMALLEST = 1e-4;
const LARGEST_FACTOR = 1e3;

/** Factors for every projection. */
export type SmoothedLayer = { readonly [Input in keyof LayerSmoothing]: Float32Array };

/** Factors of one layer; its weights are read once. */
export function smoothLayer(weights: DecoderWeights, layer: number, maxima: LayerMaxima): SmoothedLayer {
  const { config } = weights;
  const perKvHead = (values: Float32Array): Float32Array => largestOfGroup(values, config);
  return {
    qkv: smoothingFactors(maxima.qkv, columnMaxima(weights.qkv(layer)), ALPHA),
    attnOut: smoothingFactors(perKvHead(maxima.attnOut), perKvHead(columnMaxima(weights.attnOut(layer))), ALPHA),
    gateUp: smoothingFactors(maxima.gateUp, columnMaxima(weights.gateUp(layer)), ALPHA_GATE_UP),
    down: smoothingFactors(maxima.down, columnMaxima(weights.down(layer)), ALPHA),
  };
}

/** How far the largest of the smoothed inputs stands above their median: what one scale for a whole row has to bridge. */
export function inputSpread(maxima: Float32Array, factors: Float32Array): number {
  const smoothed = maxima.map((value, channel) => value / (factors[channel] ?? 1)).sort();
  const median = smoothed[smoothed.length >> 1] ?? 0;
  return median === 0 ? Infinity : (smoothed.at(-1) ?? 0) / median;
}

/** Equation 4 of the paper: activations are divided by these, weights multiplied. Both are the largest magnitudes of each channel. */
export function smoothingFactors(activations: Float32Array, weights: Float32Array, alpha: number): Float32Array {
  return activations.map((activation, channel) => {
    const weight = Math.max(weights[channel] ?? 0, SMALLEST);
    const factor = Math.max(activation, SMALLEST) ** alpha / weight ** (1 - alpha);
    return Math.min(LARGEST_FACTOR, Math.max(1 / LARGEST_FACTOR, factor));
  });
}

/** Largest magnitude in each column, [inFeatures]. */
export function columnMaxima(weights: LinearWeights): Float32Array {
  const maxima = new Float32Array(weights.inFeatures);
  for (const { from, count } of rowSlabs(weights)) {
    const rows = weights.readF32(from, count);
    for (let at = 0; at < rows.length; at++) {
      const column = at % maxima.length;
      maxima[column] = Math.max(maxima[column] ?? 0, Math.abs(rows[at] ?? 0));
    }
  }
  return maxima;
}

/** [heads · headDim] → [kvHeads · headDim]: query heads that read the same key-value head share its channels. */
function largestOfGroup(values: Float32Array, { headCount, kvHeadCount, headDim }: DecoderConfig): Float32Array {
  const largest = new Float32Array(kvHeadCount * headDim);
  const group = headCount / kvHeadCount;
  values.forEach((value, at) => {
    const channel = Math.floor(at / headDim / group) * headDim + (at % headDim);
    largest[channel] = Math.max(largest[channel] ?? 0, value);
  });
  return largest;
}
