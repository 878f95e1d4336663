// Owns the end of an encoder's graph: pooling, and then a vector's length or a classifier.
// Knows nothing about layers.
import { float32Linear } from '../float32.ts';
import { ENCODER_OUTPUT, type EncoderConfig, type EncoderHead } from '../../manifest.ts';
import { DataType, type GraphBuilder } from '../onnx.ts';
import type { EncoderGraph } from './graph.ts';
import { layerNorm } from './layer-norm.ts';
import { activate } from './mlp.ts';

/** hidden [tokens, hidden] → the output, [texts, dimensions or labels]. */
export function encoderHead(graph: EncoderGraph, hidden: string): void {
  const { b, weights } = graph;
  const { head } = weights.config;
  const pooled = pool(b, hidden, weights.config);
  if (head.kind === 'classification') classify(graph, pooled);
  else finishVector(b, pooled, head);
  b.output(ENCODER_OUTPUT, DataType.float32, ['texts', head.kind === 'classification' ? head.labels.length : head.dimensions]);
}

/** NOTE: a product with weights for each text's own places, and not a sum over the packed tokens, whose rounding would depend on where in
 *  the batch the text stands. */
function pool(b: GraphBuilder, hidden: string, { hiddenSize }: EncoderConfig): string {
  const places = b.node({ op: 'Gather', inputs: [hidden, 'padded_rows'], outputs: ['head.places'], attributes: { axis: 0 } });
  const twice = b.node({ op: 'Concat', inputs: ['pool_weights', 'pool_weights'], outputs: ['head.weights'], attributes: { axis: 1 } });
  b.node({ op: 'MatMul', inputs: [twice, places], outputs: ['head.sums'] });
  const first = b.node({ op: 'Slice', inputs: ['head.sums', b.int64(0), b.int64(1), b.int64(1)], outputs: ['head.first'] });
  const sums = b.node({ op: 'Reshape', inputs: [first, b.int64(-1, hiddenSize)], outputs: ['head.pooled'] });
  return sums;
}

function finishVector(b: GraphBuilder, pooled: string, { normalize }: Extract<EncoderHead, { kind: 'embedding' }>): void {
  if (normalize) b.node({ op: 'LpNormalization', inputs: [pooled], outputs: [ENCODER_OUTPUT], attributes: { axis: -1, p: 2 } });
  else b.node({ op: 'Identity', inputs: [pooled], outputs: [ENCODER_OUTPUT] });
}

/** The families' classifiers: a layer with an activation of its own, in pre-norm families a norm, and the labels. */
function classify(graph: EncoderGraph, pooled: string): void {
  const { b, weights } = graph;
  const dense = float32Linear.emit(b, pooled, weights.head('dense'), 'head.dense');
  const active = headActivation(b, weights.config, dense);
  float32Linear.emit(b, headNorm(graph, active), weights.head('out'), ENCODER_OUTPUT);
}

function headActivation(b: GraphBuilder, { family }: EncoderConfig, dense: string): string {
  if (family === 'distilbert') return activate(b, 'relu', dense, 'head.active');
  if (family === 'modernbert') return activate(b, 'gelu', dense, 'head.active');
  return b.node({ op: 'Tanh', inputs: [dense], outputs: ['head.active'] });
}

function headNorm({ b, weights }: EncoderGraph, x: string): string {
  const { normPlacement, normEpsilon: epsilon } = weights.config;
  return normPlacement === 'pre' ? layerNorm(b, x, { name: 'head.norm', weights: weights.norm('head.norm'), epsilon }) : x;
}
