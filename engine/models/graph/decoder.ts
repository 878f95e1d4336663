// Owns the layer-by-layer shape of a decoder-only transformer as a graph; what differs between families is in its config.
// Knows nothing about files, tensors' names or the forms of weights. Inputs and outputs: see `manifest.ts`.
import { type Stream, addThenNorm, rmsNorm } from './norm.ts';
import { DataType, type GraphBuilder } from './onnx.ts';
import { type RopeCaches, addRopeCaches, attention } from './attention.ts';
import type { DecoderGraph } from './decoder-graph.ts';
import { checkLimits } from './limits.ts';
import { mlp } from './mlp.ts';
import { outputHead, selectRows } from './head.ts';

/** Adds the whole graph to `b`; yields the number of steps done after each of `decoderSteps`, so that a caller can report
 * progress or stop. Throws `unsupported_model` for a shape that the operators cannot compute. */
export function* writeDecoder(graph: DecoderGraph): Generator<number> {
  const { b, weights } = graph;
  const { layerCount, normEpsilon: epsilon } = weights.config;
  checkLimits(weights.config);
  addInputs(b);
  const embedded = embed(graph);
  yield 1;
  const ropes = addRopeCaches(b, weights.config);
  const first = { name: 'layers.0.attention_norm', weights: weights.attentionNorm(0), epsilon };
  let stream: Stream = { residual: embedded, normed: rmsNorm(b, embedded, first) };
  for (let layer = 0; layer < layerCount; layer++) {
    stream = decoderLayer(graph, layer, stream, ropes);
    yield layer + 2;
  }
  outputHead(graph, stream.normed);
  yield decoderSteps(layerCount);
}

/** Adds one layer alone: `hidden`, what the layers before add up to, [1, tokens, hidden] → `hidden_out` of the same shape. Its other
 * inputs are those of the whole graph that attention needs, and `rows`, which the last layer has to be given whole. */
export function writeDecoderLayer(graph: DecoderGraph, layer: number): void {
  const { b, weights } = graph;
  const { hiddenSize, normEpsilon: epsilon } = weights.config;
  const hidden = b.input('hidden', DataType.float32, ['batch', 'tokens', hiddenSize]);
  addPlaces(b);
  const norm = { name: `layers.${layer}.attention_norm`, weights: weights.attentionNorm(layer), epsilon };
  const stream = { residual: hidden, normed: rmsNorm(b, hidden, norm) };
  const { residual } = decoderLayer(graph, layer, stream, addRopeCaches(b, weights.config));
  b.node({ op: 'Identity', inputs: [residual], outputs: ['hidden_out'] });
  b.output('hidden_out', DataType.float32, ['batch', 'tokens', hiddenSize]);
}

/** Steps that `writeDecoder` takes: the embedding, each layer, the head. */
export function decoderSteps(layerCount: number): number {
  return layerCount + 2;
}

function addInputs(b: GraphBuilder): void {
  b.input('input_ids', DataType.int64, ['batch', 'tokens']);
  addPlaces(b);
  b.input('inverse_temperature', DataType.float32, ['rows', 1]);
}

function addPlaces(b: GraphBuilder): void {
  b.input('seqlens_k', DataType.int32, ['batch']);
  b.input('total_sequence_length', DataType.int32, []);
  b.input('rows', DataType.int64, ['rows']);
}

function embed({ b, weights, plan }: DecoderGraph): string {
  const { embeddingScale } = weights.config;
  const embedded = plan.embedding.emit(b, 'input_ids', weights.embedding(), 'embedding');
  if (embeddingScale === 1) return embedded;
  return b.node({ op: 'Mul', inputs: [embedded, b.float32(embeddingScale)], outputs: ['embedding.scaled'] });
}

/** One layer, up to and including the norm that the next one reads. */
function decoderLayer(graph: DecoderGraph, layer: number, stream: Stream, ropes: RopeCaches): Stream {
  const { b, weights, plan } = graph;
  const attended = attention(graph, layer, stream.normed, ropes);
  const { residual, context } = lastLayerRows(graph, layer, stream.residual, attended);
  const projected = plan.format(layer, 'attn_out').emit(b, context, weights.attnOut(layer), `layers.${layer}.attn_out`);
  const attentionDelta = outputNorm(graph, layer, projected, 'attention');
  const { normEpsilon: epsilon } = weights.config;
  const mlpNorm = { name: `layers.${layer}.mlp_norm`, weights: weights.mlpNorm(layer), epsilon };
  const middle = addThenNorm(b, residual, attentionDelta, mlpNorm);
  const mlpDelta = outputNorm(graph, layer, mlp(graph, layer, middle.normed), 'mlp');
  return addThenNorm(b, middle.residual, mlpDelta, nextNorm(graph, layer));
}

/** After the last attention only the rows that are answered matter: a prefill saves the rest of that layer on all others. */
function lastLayerRows(graph: DecoderGraph, layer: number, residual: string, attended: string): { residual: string; context: string } {
  const { b, weights } = graph;
  const { layerCount, hiddenSize, headCount, headDim } = weights.config;
  if (layer + 1 < layerCount) return { residual, context: attended };
  return { residual: selectRows(b, residual, hiddenSize), context: selectRows(b, attended, headCount * headDim) };
}

/** The norm on what a block adds to the residual, in families that have one (gemma). */
function outputNorm({ b, weights }: DecoderGraph, layer: number, delta: string, after: 'attention' | 'mlp'): string {
  const { sandwichNorms, normEpsilon: epsilon } = weights.config;
  if (!sandwichNorms) return delta;
  return rmsNorm(b, delta, { name: `layers.${layer}.${after}_output_norm`, weights: weights.outputNorm(layer, after), epsilon });
}

function nextNorm({ weights }: DecoderGraph, layer: number): { name: string; weights: Float32Array; epsilon: number } {
  const { layerCount, normEpsilon: epsilon } = weights.config;
  if (layer + 1 === layerCount) return { name: 'final_norm', weights: weights.finalNorm(), epsilon };
  return { name: `layers.${layer + 1}.attention_norm`, weights: weights.attentionNorm(layer + 1), epsilon };
}
