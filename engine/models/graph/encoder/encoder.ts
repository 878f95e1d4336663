// Owns the layer-by-layer shape of an encoder as a graph; what differs between families is in its config.
// Knows nothing about files, tensors' names or the forms of weights. Inputs and outputs: see `manifest.ts`.
import { DataType, type GraphBuilder } from '../onnx.ts';
import { type SharedAttention, addSharedAttention, encoderAttention } from './attention.ts';
import { embedTokens } from './embedding.ts';
import type { EncoderGraph } from './graph.ts';
import { encoderHead } from './head.ts';
import { type LayerNormSpec, addThenLayerNorm, layerNorm } from './layer-norm.ts';
import { encoderMlp } from './mlp.ts';

/** The sum that layers add to, and what the next one reads of it; the same in families that norm after each sum. */
interface Stream {
  readonly residual: string;
  readonly normed: string;
}

/** Adds the whole graph to `b`; yields the number of steps done after each of `encoderSteps`. */
export function* writeEncoder(graph: EncoderGraph): Generator<number> {
  const { layerCount } = graph.weights.config;
  addInputs(graph.b);
  const embedded = embedTokens(graph);
  const shared = addSharedAttention(graph);
  yield 1;
  let stream: Stream = { residual: embedded, normed: firstNorm(graph, embedded) };
  for (let layer = 0; layer < layerCount; layer++) {
    stream = encoderLayer(graph, layer, stream, shared);
    yield layer + 2;
  }
  encoderHead(graph, stream.normed);
  yield encoderSteps(layerCount);
}

/** Steps that `writeEncoder` takes: the embedding, each layer, the head. */
export function encoderSteps(layerCount: number): number {
  return layerCount + 2;
}

function addInputs(b: GraphBuilder): void {
  b.input('input_ids', DataType.int64, ['tokens']);
  b.input('padded_rows', DataType.int64, ['texts', 'longest']);
  b.input('packed_places', DataType.int64, ['tokens']);
  b.input('seqlens_k', DataType.int32, ['texts']);
  b.input('total_sequence_length', DataType.int32, []);
  b.input('pool_weights', DataType.float32, ['texts', 1, 'longest']);
}

function encoderLayer(graph: EncoderGraph, layer: number, stream: Stream, shared: SharedAttention): Stream {
  const { b, weights, plan } = graph;
  const attended = encoderAttention(graph, layer, stream.normed, shared);
  const projected = plan.format(layer, 'attn_out').emit(b, attended, weights.attnOut(layer), `layers.${layer}.attn_out`);
  const isPre = weights.config.normPlacement === 'pre';
  const middle = add(graph, stream.residual, projected, normSpec(graph, layer, isPre ? 'mlp_norm' : 'attention_norm'));
  const delta = encoderMlp(graph, layer, middle.normed);
  return add(graph, middle.residual, delta, isPre ? nextNorm(graph, layer) : normSpec(graph, layer, 'mlp_norm'));
}

function add({ b, weights }: EncoderGraph, residual: string, delta: string, norm: LayerNormSpec): Stream {
  const { sum, normed } = addThenLayerNorm(b, delta, residual, norm);
  return { residual: weights.config.normPlacement === 'pre' ? sum : normed, normed };
}

/** What the first layer's attention reads: the embedding itself, unless a norm comes before it. */
function firstNorm(graph: EncoderGraph, embedded: string): string {
  const { normPlacement, layers } = graph.weights.config;
  if (normPlacement === 'post' || layers[0]?.attentionNorm === false) return embedded;
  return layerNorm(graph.b, embedded, normSpec(graph, 0, 'attention_norm'));
}

function nextNorm(graph: EncoderGraph, layer: number): LayerNormSpec {
  const { layerCount, normEpsilon: epsilon } = graph.weights.config;
  if (layer + 1 < layerCount) return normSpec(graph, layer + 1, 'attention_norm');
  return { name: 'final_norm', weights: graph.weights.norm('final_norm'), epsilon };
}

function normSpec({ weights }: EncoderGraph, layer: number, name: 'attention_norm' | 'mlp_norm'): LayerNormSpec {
  return { name: `layers.${layer}.${name}`, weights: weights.layerNorm(layer, name), epsilon: weights.config.normEpsilon };
}
