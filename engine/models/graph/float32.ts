// Owns the unquantised form of linear layers and of the embedding: float32, the reference for every other variant.
// Knows nothing about other forms.
import { addBias, productName, rowSlabs } from './linear.ts';
import type { EmbeddingFormat, LinearFormat, LinearWeights, PrecisionPlan } from './linear.ts';
import { DataType, type GraphBuilder } from './onnx.ts';

function* float32Slabs(weights: LinearWeights): Generator<Float32Array> {
  for (const { from, count } of rowSlabs(weights)) yield weights.readF32(from, count);
}

/** The float32 table [outFeatures, inFeatures] of a layer, added once. */
function float32Table(b: GraphBuilder, weights: LinearWeights): string {
  const name = `${weights.name}.f32`;
  if (b.has(name)) return name;
  return b.stream({ name, type: DataType.float32, dims: [weights.outFeatures, weights.inFeatures] }, float32Slabs(weights));
}

/** Unquantised weights, rows as they are stored: the multiplication transposes, so that a tied head shares the embedding. */
export const float32Linear: LinearFormat = {
  name: 'fp32',
  bits: 32,
  emit(b, x, weights, out) {
    const product = productName(weights, out);
    const inputs = [x, float32Table(b, weights)];
    b.node({ op: 'FusedMatMul', inputs, outputs: [product], attributes: { transB: 1 }, domain: 'com.microsoft' });
    return addBias(b, product, weights, out);
  },
};

export const float32Embedding: EmbeddingFormat = {
  name: 'fp32',
  bits: 32,
  emit(b, ids, weights, out) {
    return b.node({ op: 'Gather', inputs: [float32Table(b, weights), ids], outputs: [out], attributes: { axis: 0 } });
  },
};

/** Every part as float32: the reference that other variants are measured against. */
export const float32Plan: PrecisionPlan = {
  precision: 'fp32',
  method: 'float32 weights',
  embedding: float32Embedding,
  format: () => float32Linear,
  smoothing: () => null,
  cacheScales: null,
};
