// Owns RMS norms in the graph (arXiv 1910.07467), alone or fused with the addition before them.
// Knows nothing about where in a layer they stand.
import { DataType, type GraphBuilder } from './onnx.ts';

export interface NormSpec {
  /** Prefix of the values made here. */
  readonly name: string;
  /** As multiplied: any offset is added already. */
  readonly weights: Float32Array;
  readonly epsilon: number;
}

const table = (b: GraphBuilder, spec: NormSpec): string =>
  b.initializer({ name: `${spec.name}.weight`, type: DataType.float32, dims: [spec.weights.length] }, spec.weights);

/** Norm over the last dimension; returns its name. */
export function rmsNorm(b: GraphBuilder, x: string, spec: NormSpec): string {
  const attributes = { epsilon: { float: spec.epsilon }, axis: -1, stash_type: 1 };
  return b.node({ op: 'SimplifiedLayerNormalization', inputs: [x, table(b, spec)], outputs: [spec.name], attributes });
}

/** The residual stream and what a layer reads of it. */
export interface Stream {
  readonly residual: string;
  readonly normed: string;
}

/** residual + delta, and its norm, in one node. */
export function addThenNorm(b: GraphBuilder, residual: string, delta: string, spec: NormSpec): Stream {
  const sum = `${spec.name}.residual`;
  b.node({
    op: 'SkipSimplifiedLayerNormalization',
    inputs: [residual, delta, table(b, spec)],
    outputs: [spec.name, '', '', sum],
    attributes: { epsilon: { float: spec.epsilon } },
    domain: 'com.microsoft',
  });
  return { residual: sum, normed: spec.name };
}
