// Owns SmoothQuant (arXiv 2211.10438) for a layer whose input others read too: the division stands before it as a node of its own.
// Knows nothing about which layer it is or how maxima are measured.
import type { LinearFormat, LinearWeights } from '../graph/linear.ts';
import { DataType } from '../graph/onnx.ts';
import { columnMaxima, smoothingFactors } from './smoothing.ts';

/** Share of the spread that moves into the weights; encoders keep cosine 0.997 at worst with it. */
const ALPHA = 0.5;

/** The same layer with x divided by a factor for each channel, and its weights multiplied by it. `maxima`: the largest magnitude of each
 *  channel of x, [inFeatures]. */
export function smoothedLinear(format: LinearFormat, maxima: Float32Array): LinearFormat {
  return {
    ...format,
    emit(b, x, weights, out) {
      const factors = smoothingFactors(maxima, columnMaxima(weights), ALPHA);
      const inverse = factors.map((factor) => 1 / factor);
      const divisors = b.initializer({ name: `${weights.name}.smoothing`, type: DataType.float32, dims: [inverse.length] }, inverse);
      const smooth = b.node({ op: 'Mul', inputs: [x, divisors], outputs: [`${out}.smooth`] });
      return format.emit(b, smooth, withColumnFactors(weights, factors), out);
    },
  };
}

function withColumnFactors(weights: LinearWeights, factors: Float32Array): LinearWeights {
  const readF32 = (from: number, count: number): Float32Array =>
    weights.readF32(from, count).map((value, at) => value * (factors[at % factors.length] ?? 1));
  return { ...weights, sourceType: null, readF32 };
}
