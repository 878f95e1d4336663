// Owns what a token becomes before the first layer: its vector, its position's and its segment's, summed and normed.
// Knows nothing about layers.
import { DataType, type GraphBuilder } from '../onnx.ts';
import type { EncoderConfig } from '../../manifest.ts';
import type { EncoderGraph } from './graph.ts';
import { addThenLayerNorm, layerNorm } from './layer-norm.ts';

/** Whether the graph tells the segments of a pair apart: only heads that judge pairs need it. */
export function hasTokenTypes({ head, tokenTypeCount }: EncoderConfig): boolean {
  return head.kind === 'classification' && tokenTypeCount > 1;
}

/** [tokens, hidden] */
export function embedTokens(graph: EncoderGraph): string {
  const { b, weights, plan } = graph;
  const words = plan.embedding.emit(b, 'input_ids', weights.words(), 'embedding.words');
  const spec = { name: 'embedding', weights: weights.norm('embed_norm'), epsilon: weights.config.normEpsilon };
  const positions = positionVectors(graph);
  const segments = segmentVectors(graph);
  if (positions === null && segments === null) return layerNorm(b, words, spec);
  if (positions !== null && segments === null) return addThenLayerNorm(b, words, positions, spec).normed;
  const base = positions === null ? words : b.node({ op: 'Add', inputs: [words, positions], outputs: ['embedding.placed'] });
  return layerNorm(b, b.node({ op: 'Add', inputs: [base, segments ?? ''], outputs: ['embedding.sum'] }), spec);
}

/** Gathered by position; the one segment that a text without pairs has is folded in. */
function positionVectors({ b, weights }: EncoderGraph): string | null {
  const { positions, contextLength, hiddenSize, ...config } = weights.config;
  if (positions.kind === 'rope') return null;
  const table = weights.positions(positions.skippedRows);
  if (config.tokenTypeCount > 0 && !hasTokenTypes(weights.config)) addToRows(table, weights.tokenTypes().subarray(0, hiddenSize));
  b.input('positions', DataType.int64, ['tokens']);
  return gather(b, { name: 'embedding.positions', table, dims: [contextLength, hiddenSize], rows: 'positions' });
}

/** A vector for each token, or one for all, [hidden]; null where it is folded into the positions, or there is none. */
function segmentVectors({ b, weights }: EncoderGraph): string | null {
  const { tokenTypeCount, positions, hiddenSize } = weights.config;
  if (tokenTypeCount === 0) return null;
  const table = weights.tokenTypes();
  if (hasTokenTypes(weights.config)) {
    b.input('token_types', DataType.int64, ['tokens']);
    return gather(b, { name: 'embedding.segments', table, dims: [tokenTypeCount, hiddenSize], rows: 'token_types' });
  }
  if (positions.kind !== 'rope') return null;
  return b.initializer({ name: 'embedding.segment', type: DataType.float32, dims: [hiddenSize] }, table.slice(0, hiddenSize));
}

interface GatherSpec {
  readonly name: string;
  readonly table: Float32Array;
  readonly dims: readonly number[];
  readonly rows: string;
}

function gather(b: GraphBuilder, { name, table, dims, rows }: GatherSpec): string {
  const stored = b.initializer({ name: `${name}.table`, type: DataType.float32, dims }, table);
  return b.node({ op: 'Gather', inputs: [stored, rows], outputs: [name], attributes: { axis: 0 } });
}

function addToRows(table: Float32Array, row: Float32Array): void {
  for (let at = 0; at < table.length; at++) table[at] = (table[at] ?? 0) + (row[at % row.length] ?? 0);
}
