// Owns the 8-bit form of the KV cache: how a graph with a float32 cache becomes one whose attention reads and writes signed bytes.
// Knows nothing about how scales are found. Operator: ONNX Runtime's docs/ContribOperators.md, GroupQueryAttention.
import type { DecoderConfig } from '../manifest.ts';
import { DataType, type GraphBuilder, type NodeSpec, type ValueSpec } from './onnx.ts';

/** Keys, as they are after the rotation, or values. */
export type CacheSide = 'k' | 'v';

/** [kvHeads · headDim], what a difference of one means in each channel. A channel keeps its scale for ever, so that a position is
 * rounded once, when it is written, whatever comes later. */
export type CacheScales = (layer: number, side: CacheSide) => Float32Array;

const ATTENTION = 'GroupQueryAttention';
/** Inputs of the operator before its scales; those that a graph leaves out keep their places. */
const INPUTS_BEFORE_SCALES = 12;

/** The finished graph of `b` once more, over the same weights, with signed bytes in the KV cache. */
export function withEightBitCache(b: GraphBuilder, config: DecoderConfig, scales: CacheScales): GraphBuilder {
  const fork = b.fork({ node: (node) => (node.op === ATTENTION ? eightBitAttention(node) : node), value: eightBitValue });
  const dims = [1, config.kvHeadCount, 1, config.headDim];
  for (let layer = 0; layer < config.layerCount; layer++) {
    for (const side of ['k', 'v'] as const) {
      fork.initializer({ name: scaleName(`present_${side}_${layer}`), type: DataType.float32, dims }, scales(layer, side));
    }
  }
  return fork;
}

function eightBitAttention(node: NodeSpec): NodeSpec {
  const [, presentKey = '', presentValue = ''] = node.outputs;
  const places = Array.from({ length: INPUTS_BEFORE_SCALES }, (_, at) => node.inputs[at] ?? '');
  return {
    ...node,
    inputs: [...places, scaleName(presentKey), scaleName(presentValue)],
    attributes: { ...node.attributes, k_quant_type: 'PER_CHANNEL', v_quant_type: 'PER_CHANNEL', kv_cache_bit_width: 8 },
  };
}

function eightBitValue(value: ValueSpec): ValueSpec {
  return /^(past|present)_[kv]_\d+$/.test(value.name) ? { ...value, type: DataType.int8 } : value;
}

const scaleName = (present: string): string => `${present}.scale`;
