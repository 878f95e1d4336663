// Owns the attention of one layer: projections, head norms, rotation, cache, windows and caps, by GroupQueryAttention.
// Knows nothing about the rest of the layer. Operator: ONNX Runtime's docs/ContribOperators.md.
import type { DecoderConfig } from '../manifest.ts';
import type { DecoderGraph } from './decoder-graph.ts';
import type { DecoderWeights } from './decoder-weights.ts';
import { rmsNorm } from './norm.ts';
import { type Attribute, DataType, type GraphBuilder } from './onnx.ts';
import { MAX_POSITIONS, ropeTable } from './rope.ts';

/** [cos, sin] tables' names, by the kind of layer that reads them. */
export interface RopeCaches {
  readonly global: readonly [string, string];
  readonly local: readonly [string, string];
}

/** Adds the tables once for the whole graph; layers with a window have their own where the config gives them another base. */
export function addRopeCaches(b: GraphBuilder, config: DecoderConfig): RopeCaches {
  const { rope } = config;
  const positions = Math.min(config.contextLength, MAX_POSITIONS);
  const table = (local: boolean, letters: 'cos' | 'sin'): string => {
    const spec = { name: `rope.${local ? 'local' : 'global'}.${letters}`, type: DataType.float32, dims: [positions, rope.dim / 2] };
    return b.stream(spec, ropeTable({ rope, local, positions, wave: Math[letters] }));
  };
  const pair = (local: boolean): readonly [string, string] => [table(local, 'cos'), table(local, 'sin')];
  const global = pair(false);
  return { global, local: rope.localTheta === null ? global : pair(true) };
}

/** x [batch, tokens, hidden] → [batch, tokens, heads · headDim], with the layer's cache as inputs and outputs of the graph. */
export function attention({ b, weights, plan }: DecoderGraph, layer: number, x: string, ropes: RopeCaches): string {
  const { config } = weights;
  const name = `layers.${layer}.attention`;
  const packed = plan.format(layer, 'qkv').emit(b, x, weights.qkv(layer), `layers.${layer}.qkv`);
  const projections = config.qkNorm ? normHeads(b, layer, packed, weights) : [packed, '', ''];
  const cacheShape = ['batch', config.kvHeadCount, 'capacity', config.headDim];
  const cache = (['k', 'v'] as const).map((letter) => b.input(`past_${letter}_${layer}`, DataType.float32, cacheShape));
  const present = (['k', 'v'] as const).map((letter) => `present_${letter}_${layer}`);
  b.node({
    op: 'GroupQueryAttention',
    inputs: [...projections, ...cache, 'seqlens_k', 'total_sequence_length', ...rotation(config, layer, ropes)],
    outputs: [name, ...present],
    attributes: attentionAttributes(config, layer),
    domain: 'com.microsoft',
  });
  for (const value of present) b.output(value, DataType.float32, cacheShape);
  return name;
}

function rotation(config: DecoderConfig, layer: number, ropes: RopeCaches): readonly string[] {
  const kind = config.layers[layer];
  if (kind?.rope === false) return [];
  return (kind?.window ?? 0) > 0 ? ropes.local : ropes.global;
}

function attentionAttributes(config: DecoderConfig, layer: number): Record<string, Attribute> {
  const { window = 0, rope = true } = config.layers[layer] ?? {};
  return {
    num_heads: config.headCount,
    kv_num_heads: config.kvHeadCount,
    do_rotary: rope ? 1 : 0,
    rotary_interleaved: 0,
    scale: { float: config.attentionScale },
    ...(window > 0 ? { local_window_size: window } : {}),
    ...(config.attentionSoftcap > 0 ? { softcap: { float: config.attentionSoftcap } } : {}),
  };
}

/** Splits the packed projection and norms each head of q and k: the operator's own inputs for these norms are refused on the
 * CPU, and its rotation comes after, as it should. */
function normHeads(b: GraphBuilder, layer: number, packed: string, weights: DecoderWeights): readonly string[] {
  const { headCount, kvHeadCount, headDim, normEpsilon } = weights.config;
  const widths = [headCount * headDim, kvHeadCount * headDim, kvHeadCount * headDim];
  const parts = ['q', 'k', 'v'].map((letter) => `layers.${layer}.${letter}`);
  b.node({ op: 'Split', inputs: [packed, b.int64(...widths)], outputs: parts, attributes: { axis: -1 } });
  const normed = (['q', 'k'] as const).map((letter) => {
    const name = `layers.${layer}.${letter}`;
    const heads = b.node({ op: 'Reshape', inputs: [name, b.int64(0, 0, -1, headDim)], outputs: [`${name}.heads`] });
    const norm = rmsNorm(b, heads, { name: `${name}_norm`, weights: weights.headNorm(layer, letter), epsilon: normEpsilon });
    return b.node({ op: 'Reshape', inputs: [norm, b.int64(0, 0, -1)], outputs: [`${name}_norm.flat`] });
  });
  return [...normed, `layers.${layer}.v`];
}
