// Owns the check that this machine's kernels compute each form rightly, against plain arithmetic on the same weights.
// Knows nothing about models. Without VNNI, for one, products of 8-bit numbers can saturate in silence.
import type { LinearFormat, LinearWeights } from '../graph/linear.ts';
import { blocks4, blocks4Asymmetric, blocks8 } from './block-linear.ts';
import { int8Linear } from './int8-linear.ts';
import { runLinear } from './linear-run.ts';

/** Every form that a plan can choose, and the root-mean-square error that its rounding explains, as a share of the product. */
const FORMS: readonly TestedForm[] = [
  { format: blocks8(32), limit: 0.01 },
  { format: blocks8(64), limit: 0.01 },
  { format: blocks4(32), limit: 0.1 },
  { format: blocks4Asymmetric(32), limit: 0.1 },
  { format: int8Linear, limit: 0.01 },
];

export interface TestedForm {
  readonly format: LinearFormat;
  readonly limit: number;
}

const IN_FEATURES = 192;
const OUT_FEATURES = 96;
/** One row and several take different kernels. */
const ROW_COUNTS = [1, 4, 17];

/** Names of the forms whose results are off here; a variant that uses one must not be served. Takes some 50 ms. */
export function faultyForms(forms: readonly TestedForm[] = FORMS): readonly string[] {
  const values = noise(IN_FEATURES * OUT_FEATURES, 1);
  const weights = weightsOf(values);
  const isOff = ({ format, limit }: TestedForm): boolean =>
    ROW_COUNTS.some((rows) => !(productError(format, weights, noise(rows * IN_FEATURES, 7)) < limit));
  return forms.filter(isOff).map(({ format }) => format.name);
}

function weightsOf(values: Float32Array): LinearWeights {
  return {
    name: 'self_test',
    outFeatures: OUT_FEATURES,
    inFeatures: IN_FEATURES,
    bias: null,
    sourceType: null,
    readF32: (from, count) => values.slice(from * IN_FEATURES, (from + count) * IN_FEATURES),
    readRaw: () => new Uint8Array(0),
  };
}

/** Root mean square of the error, as a share of that of the product in double precision. */
function productError(format: LinearFormat, weights: LinearWeights, x: Float32Array): number {
  const y = runLinear(format, weights, x);
  const values = weights.readF32(0, OUT_FEATURES);
  let error = 0;
  let size = 0;
  for (let at = 0; at < y.length; at++) {
    const product = dot(x, Math.floor(at / OUT_FEATURES) * IN_FEATURES, values, (at % OUT_FEATURES) * IN_FEATURES);
    error += ((y[at] ?? NaN) - product) ** 2;
    size += product ** 2;
  }
  return Math.sqrt(error / size);
}

function dot(a: Float32Array, fromA: number, b: Float32Array, fromB: number): number {
  let sum = 0;
  for (let k = 0; k < IN_FEATURES; k++) sum += (a[fromA + k] ?? 0) * (b[fromB + k] ?? 0);
  return sum;
}

/** Numbers in [-1, 1), the same every time: levels of every size, extremes included. */
function noise(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  });
}
