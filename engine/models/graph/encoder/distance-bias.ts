// Owns what is added to q·k by the distance of two tokens: learned biases in buckets (MPNet), and the window of local layers (ModernBERT).
// Knows nothing about the rest of attention.
import { bug } from '../../../errors.ts';
import type { EncoderConfig } from '../../manifest.ts';
import { DataType, type GraphBuilder } from '../onnx.ts';
import type { EncoderGraph } from './graph.ts';

/** Names of [1, 1 or heads, longest, longest], by kind of layer; null where nothing is added. */
export interface DistanceBias {
  readonly global: string | null;
  readonly local: string | null;
}

/** Takes a token out of the softmax; finite, so that a row of which nothing is left stays a number. */
const OUT_OF_REACH = -1e9;

/** Adds the biases once for the whole graph. All local layers of a model have the same reach. */
export function distanceBias({ b, weights }: EncoderGraph): DistanceBias {
  const { config } = weights;
  const reach = Math.max(...config.layers.map((layer) => layer.reach));
  if (config.layers.some((layer) => layer.reach !== 0 && layer.reach !== reach)) bug('Local layers differ in reach.');
  const isRelative = config.positions.kind === 'learned_and_relative';
  if (!isRelative && reach === 0) return { global: null, local: null };
  const distances = addDistances(b);
  return {
    global: isRelative ? bucketBias(b, distances, distanceTable(config, weights.relativeBias())) : null,
    local: reach === 0 ? null : windowBias(b, distances, reach),
  };
}

/** key place − query place, int32 [longest, longest]. */
function addDistances(b: GraphBuilder): string {
  const constant = (name: string, value: number): string =>
    b.initializer({ name: `distance.${name}`, type: DataType.int32, dims: [] }, Int32Array.of(value));
  const range = [constant('zero', 0), 'total_sequence_length', constant('one', 1)];
  b.node({ op: 'Range', inputs: range, outputs: ['distance.places'] });
  b.node({ op: 'Unsqueeze', inputs: ['distance.places', b.int64(1)], outputs: ['distance.queries'] });
  return b.node({ op: 'Sub', inputs: ['distance.places', 'distance.queries'], outputs: ['distance'] });
}

interface DistanceTable {
  /** [heads, 2 · farthest + 1] row-major, by distance + farthest. */
  readonly values: Float32Array;
  readonly heads: number;
  readonly farthest: number;
}

function bucketBias(b: GraphBuilder, distances: string, { values, heads, farthest }: DistanceTable): string {
  const spec = { name: 'distance.biases', type: DataType.float32, dims: [1, heads, 2 * farthest + 1] };
  const table = b.initializer(spec, values);
  const offset = b.initializer({ name: 'distance.farthest', type: DataType.int32, dims: [] }, Int32Array.of(farthest));
  const columns = b.node({ op: 'Add', inputs: [distances, offset], outputs: ['distance.columns'] });
  return b.node({ op: 'Gather', inputs: [table, columns], outputs: ['distance.global_bias'], attributes: { axis: 2 } });
}

function windowBias(b: GraphBuilder, distances: string, reach: number): string {
  const limit = b.initializer({ name: 'distance.reach', type: DataType.int32, dims: [] }, Int32Array.of(reach));
  b.node({ op: 'Abs', inputs: [distances], outputs: ['distance.size'] });
  b.node({ op: 'LessOrEqual', inputs: ['distance.size', limit], outputs: ['distance.within'] });
  const values = ['distance.within', b.float32(0), b.float32(OUT_OF_REACH)];
  b.node({ op: 'Where', inputs: values, outputs: ['distance.window'] });
  return b.node({ op: 'Unsqueeze', inputs: ['distance.window', b.int64(0, 1)], outputs: ['distance.local_bias'] });
}

/** The bias of every distance that can occur, for each head. */
function distanceTable({ contextLength, headCount, positions }: EncoderConfig, buckets: Float32Array): DistanceTable {
  if (positions.kind !== 'learned_and_relative') bug('The model has no relative positions.');
  const farthest = contextLength - 1;
  const width = 2 * farthest + 1;
  const values = new Float32Array(headCount * width);
  for (let column = 0; column < width; column++) {
    const bucket = bucketOf(column - farthest, positions.bucketCount, positions.maxDistance);
    for (let head = 0; head < headCount; head++) values[head * width + column] = buckets[bucket * headCount + head] ?? 0;
  }
  return { values, heads: headCount, farthest };
}

/** T5's buckets, both directions (arXiv 1910.10683, section 2.1): near distances one each, farther ones in logarithmic steps.
 *  Tokens behind the query are the first half. */
function bucketOf(distance: number, bucketCount: number, maxDistance: number): number {
  const half = bucketCount / 2;
  const exact = half / 2;
  const size = Math.abs(distance);
  const start = distance > 0 ? half : 0;
  if (size < exact) return start + size;
  const steps = Math.trunc(Math.fround((Math.log(size / exact) / Math.log(maxDistance / exact)) * (half - exact)));
  return start + Math.min(half - 1, exact + steps);
}
