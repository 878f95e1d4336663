// Owns layer norms with mean and variance (arXiv 1607.06450), alone or behind a sum.
// Knows nothing about which norm it is.
import { DataType, type GraphBuilder } from '../onnx.ts';
import type { NormWeights } from './weights.ts';

export interface LayerNormSpec {
  /** Prefix of the values made here. */
  readonly name: string;
  readonly weights: NormWeights;
  readonly epsilon: number;
}

/** Names of scale and bias; the bias is left out where there is none. */
function tables(b: GraphBuilder, { name, weights }: LayerNormSpec): readonly string[] {
  const vector = (part: string, data: Float32Array): string =>
    b.initializer({ name: `${name}.${part}`, type: DataType.float32, dims: [data.length] }, data);
  return [vector('scale', weights.scale), ...(weights.bias === null ? [] : [vector('bias', weights.bias)])];
}

/** Norm over the last dimension; returns its name. */
export function layerNorm(b: GraphBuilder, x: string, spec: LayerNormSpec): string {
  const attributes = { axis: -1, epsilon: { float: spec.epsilon } };
  return b.node({ op: 'LayerNormalization', inputs: [x, ...tables(b, spec)], outputs: [spec.name], attributes });
}

export interface SumAndNorm {
  readonly sum: string;
  readonly normed: string;
}

/** a + c and its norm. NOTE: the fused operator, SkipLayerNormalization, takes eight times as long on the CPU (ONNX Runtime 1.30: a scalar
 *  loop), and ONNX Runtime fuses an Add with the norm behind it by itself; a Sum it leaves alone. */
export function addThenLayerNorm(b: GraphBuilder, a: string, c: string, spec: LayerNormSpec): SumAndNorm {
  const sum = b.node({ op: 'Sum', inputs: [a, c], outputs: [`${spec.name}.sum`] });
  return { sum, normed: layerNorm(b, sum, spec) };
}
