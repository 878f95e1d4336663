// Owns linear layers with 8-bit weights, one scale an output column, and 8-bit activations, one scale a row.
// Knows nothing about smoothing, which comes folded into the weights. A row's result does not depend on the rows beside it.
import { type LinearFormat, type LinearWeights, addBias, productName, rowSlabs } from '../graph/linear.ts';
import { DataType, type GraphBuilder } from '../graph/onnx.ts';

const LEVELS = 127;
/** Unsigned activations around 128 against signed weights: the pair that VNNI multiplies without saturation. */
const ACTIVATION_ZERO = 128;
/** Keeps a row of zeros from dividing by zero; far below any activation's scale. */
const SMALLEST_ROW = 1e-30;

/** y[row] = scale[row] · (codes[row] · Wcodes) · Wscales. */
export const int8Linear: LinearFormat = {
  name: '8-bit weights and activations',
  bits: 8,
  emit(b, x, weights, out) {
    const product = productName(weights, out);
    const { codes, scales } = addInt8Weights(b, weights);
    const { levels, rowScale, unit, zero } = quantiseRows(b, x, product);
    const inputs = [levels, codes, unit, scales, zero];
    const unscaled = b.node({ op: 'MatMulIntegerToFloat', inputs, outputs: [`${product}.unscaled`], domain: 'com.microsoft' });
    b.node({ op: 'Mul', inputs: [unscaled, rowScale], outputs: [product] });
    return addBias(b, product, weights, out);
  },
};

interface QuantisedRows {
  readonly levels: string;
  /** [..., 1]: each row's largest magnitude. */
  readonly rowScale: string;
  readonly unit: string;
  readonly zero: string;
}

/** Divides each row by its largest magnitude, so that one constant scale quantises all. */
function quantiseRows(b: GraphBuilder, x: string, prefix: string): QuantisedRows {
  const zero = 'const.u8.zero_point';
  if (!b.has(zero)) b.initializer({ name: zero, type: DataType.uint8, dims: [] }, Uint8Array.of(ACTIVATION_ZERO));
  const unit = b.float32(1 / LEVELS);
  const magnitudes = b.node({ op: 'Abs', inputs: [x], outputs: [`${prefix}.magnitudes`] });
  const largest = b.node({
    op: 'ReduceMax',
    inputs: [magnitudes, b.int64(-1)],
    outputs: [`${prefix}.largest`],
    attributes: { keepdims: 1 },
  });
  const rowScale = b.node({ op: 'Max', inputs: [largest, b.float32(SMALLEST_ROW)], outputs: [`${prefix}.row_scale`] });
  const normal = b.node({ op: 'Div', inputs: [x, rowScale], outputs: [`${prefix}.normal`] });
  const levels = b.node({ op: 'QuantizeLinear', inputs: [normal, unit, zero], outputs: [`${prefix}.levels`] });
  return { levels, rowScale, unit, zero };
}

/** Adds the codes [inFeatures, outFeatures] and scales [outFeatures]. */
function addInt8Weights(b: GraphBuilder, weights: LinearWeights): { codes: string; scales: string } {
  const { name, inFeatures, outFeatures } = weights;
  const scales = new Float32Array(outFeatures);
  const codes = transposedCodes(weights, scales);
  return {
    codes: b.initializer({ name: `${name}.int8`, type: DataType.int8, dims: [inFeatures, outFeatures] }, codes),
    scales: b.initializer({ name: `${name}.int8_scales`, type: DataType.float32, dims: [outFeatures] }, scales),
  };
}

/** Rounds row by row, a row becoming a column; fills `scales`. */
function transposedCodes(weights: LinearWeights, scales: Float32Array): Int8Array {
  const { inFeatures, outFeatures } = weights;
  const codes = new Int8Array(inFeatures * outFeatures);
  for (const { from, count } of rowSlabs(weights)) {
    const rows = weights.readF32(from, count);
    for (let row = 0; row < count; row++) {
      const values = rows.subarray(row * inFeatures, (row + 1) * inFeatures);
      scales[from + row] = roundRow(values, { codes, at: from + row, stride: outFeatures });
    }
  }
  return codes;
}

interface Column {
  readonly codes: Int8Array;
  readonly at: number;
  readonly stride: number;
}

/** Writes the codes of one row and returns its scale. */
function roundRow(values: Float32Array, { codes, at, stride }: Column): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  const scale = Math.fround(largest / LEVELS);
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let k = 0; k < values.length; k++) {
    const level = Math.round((values[k] ?? 0) * inverse);
    codes[at + k * stride] = Math.min(LEVELS, Math.max(-LEVELS, level));
  }
  return scale;
}
