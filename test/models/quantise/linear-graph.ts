// Weights, inputs and plain arithmetic for tests that compare the forms of a linear layer.
import type { LinearWeights } from '../../../engine/models/graph/linear.ts';
import { decode } from '../../../engine/models/readers/decode/decode.ts';
import { rowBytes, type SourceType } from '../../../engine/models/readers/tensors.ts';

interface Shape {
  readonly outFeatures: number;
  readonly inFeatures: number;
}

/** Weights as plain numbers. */
export function plainWeights(values: Float32Array, { outFeatures, inFeatures }: Shape): LinearWeights {
  return {
    name: 'layer',
    outFeatures,
    inFeatures,
    bias: null,
    sourceType: null,
    readF32: (from, count) => values.slice(from * inFeatures, (from + count) * inFeatures),
    readRaw: () => {
      throw new Error('Plain weights have no stored form.');
    },
  };
}

/** Weights as stored blocks of a type. */
export function storedWeights(type: SourceType, bytes: Uint8Array, shape: Shape): LinearWeights {
  const perRow = rowBytes(type, shape.inFeatures);
  const readRaw = (from: number, count: number): Uint8Array => bytes.slice(from * perRow, (from + count) * perRow);
  const readF32 = (from: number, count: number): Float32Array => decode(type, readRaw(from, count), count * shape.inFeatures);
  return { ...plainWeights(new Float32Array(0), shape), sourceType: type, readF32, readRaw };
}

/** Deterministic numbers in [-1, 1). */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  });
}

/** Rows of the unit matrix: a product with them shows the weights themselves. */
export function unitRows(width: number): Float32Array {
  return Float32Array.from({ length: width * width }, (_, at) => (at % (width + 1) === 0 ? 1 : 0));
}

/** x · Wᵀ in double precision. */
export function exactProduct(x: Float32Array, weights: LinearWeights): Float64Array {
  const { inFeatures, outFeatures } = weights;
  const values = weights.readF32(0, outFeatures);
  const rows = x.length / inFeatures;
  return Float64Array.from({ length: rows * outFeatures }, (_, at) => {
    const [row, column] = [Math.floor(at / outFeatures), at % outFeatures];
    let sum = 0;
    for (let k = 0; k < inFeatures; k++) sum += (x[row * inFeatures + k] ?? 0) * (values[column * inFeatures + k] ?? 0);
    return sum;
  });
}

/** Root mean square of the difference, as a share of that of the expected values. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let at = 0; at < expected.length; at++) {
    difference += ((actual[at] ?? NaN) - (expected[at] ?? 0)) ** 2;
    size += (expected[at] ?? 0) ** 2;
  }
  return Math.sqrt(difference / size);
}
