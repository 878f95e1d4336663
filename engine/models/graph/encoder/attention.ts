// Owns the attention of one layer: texts of different lengths, packed without padding, are padded for this one operator alone.
// GroupQueryAttention skips the places beyond a text's end. Operator: ONNX Runtime's docs/ContribOperators.md.
import { DataType, type GraphBuilder } from '../onnx.ts';
import { ropeTable } from '../rope.ts';
import type { EncoderConfig } from '../../manifest.ts';
import type { EncoderGraph } from './graph.ts';
import { distanceBias, type DistanceBias } from './distance-bias.ts';

/** What all layers share: tables of rotation, and biases by the distance of two tokens. */
export interface SharedAttention {
  readonly bias: DistanceBias;
  /** Names of cosines and sines; null in families that do not rotate. */
  readonly globalRope: readonly [string, string] | null;
  readonly localRope: readonly [string, string] | null;
}

export function addSharedAttention(graph: EncoderGraph): SharedAttention {
  const { positions, layers } = graph.weights.config;
  const bias = distanceBias(graph);
  if (positions.kind !== 'rope') return { bias, globalRope: null, localRope: null };
  const globalRope = ropeTables(graph, positions.theta);
  const hasLocal = layers.some(({ reach }) => reach > 0) && positions.localTheta !== positions.theta;
  return { bias, globalRope, localRope: hasLocal ? ropeTables(graph, positions.localTheta) : globalRope };
}

function ropeTables({ b, weights }: EncoderGraph, theta: number): readonly [string, string] {
  const { headDim, contextLength } = weights.config;
  const rope = { theta, dim: headDim, scaling: null, localTheta: null };
  const table = (letters: 'cos' | 'sin'): string => {
    const spec = { name: `rope.${theta}.${letters}`, type: DataType.float32, dims: [contextLength, headDim / 2] };
    return b.stream(spec, ropeTable({ rope, local: false, positions: contextLength, wave: Math[letters] }));
  };
  return [table('cos'), table('sin')];
}

/** x [tokens, hidden] → [tokens, heads · headDim], before the output projection. */
export function encoderAttention({ b, weights, plan }: EncoderGraph, layer: number, x: string, shared: SharedAttention): string {
  const { config } = weights;
  const name = `layers.${layer}.attention`;
  const packed = plan.format(layer, 'qkv').emit(b, x, weights.qkv(layer), `layers.${layer}.qkv`);
  const padded = b.node({ op: 'Gather', inputs: [packed, 'padded_rows'], outputs: [`${name}.padded`], attributes: { axis: 0 } });
  const isLocal = (config.layers[layer]?.reach ?? 0) > 0;
  const rope = (isLocal ? shared.localRope : shared.globalRope) ?? ['', ''];
  const bias = (isLocal ? shared.bias.local : shared.bias.global) ?? '';
  b.node({
    op: 'GroupQueryAttention',
    inputs: trimmed([padded, '', '', '', '', 'seqlens_k', 'total_sequence_length', ...rope, '', bias]),
    outputs: [`${name}.places`, `${name}.keys`, `${name}.values`],
    attributes: attributesOf(config, rope[0] !== ''),
    domain: 'com.microsoft',
  });
  return pack(b, name, config);
}

/** [texts, longest, width] → [tokens, width]. */
function pack(b: GraphBuilder, name: string, { headCount, headDim }: EncoderConfig): string {
  const flat = b.node({ op: 'Reshape', inputs: [`${name}.places`, b.int64(-1, headCount * headDim)], outputs: [`${name}.flat`] });
  return b.node({ op: 'Gather', inputs: [flat, 'packed_places'], outputs: [name], attributes: { axis: 0 } });
}

function attributesOf({ headCount, headDim }: EncoderConfig, rotates: boolean): Record<string, number | { readonly float: number }> {
  return {
    num_heads: headCount,
    kv_num_heads: headCount,
    causal: 0,
    do_rotary: rotates ? 1 : 0,
    scale: { float: 1 / Math.sqrt(headDim) },
  };
}

/** Without the optional inputs left out at the end. */
function trimmed(inputs: readonly string[]): readonly string[] {
  return inputs.slice(0, inputs.findLastIndex((input) => input !== '') + 1);
}
