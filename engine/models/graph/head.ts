// Owns the end of the graph: which positions are answered, logits, and the sampler's scan over them.
// Knows nothing about layers.
import { GRAPH_TOP_COUNT } from '../manifest.ts';
import type { DecoderGraph } from './decoder-graph.ts';
import { DataType, type GraphBuilder } from './onnx.ts';

/** Picks the positions named by `rows`: [batch, tokens, width] → [1, rows, width]. */
export function selectRows(b: GraphBuilder, value: string, width: number): string {
  const flat = b.node({ op: 'Reshape', inputs: [value, b.int64(1, -1, width)], outputs: [`${value}.flat`] });
  return b.node({ op: 'Gather', inputs: [flat, 'rows'], outputs: [`${value}.selected`], attributes: { axis: 1 } });
}

/** normed [1, rows, hidden] → the outputs `logits`, `top_values`, `top_indices` and `log_sum_exp`. */
export function outputHead({ b, weights, plan }: DecoderGraph, normed: string): void {
  const { config } = weights;
  const x = b.node({ op: 'Reshape', inputs: [normed, b.int64(-1, config.hiddenSize)], outputs: ['head.input'] });
  const raw = config.finalSoftcap > 0 ? 'head.raw' : 'logits';
  plan.format(null, 'head').emit(b, x, weights.head(), raw);
  if (config.finalSoftcap > 0) softcap(b, raw, config.finalSoftcap, 'logits');
  b.output('logits', DataType.float32, ['rows', config.vocabSize]);
  scanLogits(b);
}

/** cap · tanh(x / cap) (Gemma 2, arXiv 2408.00118, section 2). */
function softcap(b: GraphBuilder, x: string, cap: number, out: string): void {
  b.node({ op: 'Div', inputs: [x, b.float32(cap)], outputs: [`${out}.scaled`] });
  b.node({ op: 'Tanh', inputs: [`${out}.scaled`], outputs: [`${out}.tanh`] });
  b.node({ op: 'Mul', inputs: [`${out}.tanh`, b.float32(cap)], outputs: [out] });
}

/** What the sampler needs of each row, found here because a scan in JavaScript takes several times as long. */
function scanLogits(b: GraphBuilder): void {
  const attributes = { axis: -1, largest: 1, sorted: 1 };
  b.node({ op: 'TopK', inputs: ['logits', b.int64(GRAPH_TOP_COUNT)], outputs: ['top_values', 'top_indices'], attributes });
  logSumExp(b);
  b.output('top_values', DataType.float32, ['rows', GRAPH_TOP_COUNT]);
  b.output('top_indices', DataType.int64, ['rows', GRAPH_TOP_COUNT]);
  b.output('log_sum_exp', DataType.float32, ['rows']);
}

/** log Σ exp(x), as the largest x minus its log-softmax: a tenth of the time that ReduceLogSumExp takes on the CPU. */
function logSumExp(b: GraphBuilder): void {
  const attributes = { axis: -1 };
  const tempered = b.node({ op: 'Mul', inputs: ['logits', 'inverse_temperature'], outputs: ['head.tempered'] });
  const logs = b.node({ op: 'LogSoftmax', inputs: [tempered], outputs: ['head.log_probabilities'], attributes });
  const best = b.node({ op: 'Slice', inputs: ['top_indices', b.int64(0), b.int64(1), b.int64(1)], outputs: ['head.best'] });
  const atBest = (table: string): string => b.node({ op: 'GatherElements', inputs: [table, best], outputs: [`${table}.best`], attributes });
  const column = b.node({ op: 'Sub', inputs: [atBest(tempered), atBest(logs)], outputs: ['head.log_sum_exp'] });
  b.node({ op: 'Reshape', inputs: [column, b.int64(-1)], outputs: ['log_sum_exp'] });
}
