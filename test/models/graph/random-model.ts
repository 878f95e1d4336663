// Makes decoders of any shape with random weights in memory, for tests that need no file.
import type { DecoderConfig } from '../../../engine/models/manifest.ts';
import type { SourceTensor } from '../../../engine/models/readers/tensors.ts';
import { rowLength } from '../../../engine/models/readers/tensors.ts';

const DEFAULTS: DecoderConfig = {
  family: 'llama',
  hiddenSize: 32,
  layerCount: 2,
  headCount: 4,
  kvHeadCount: 2,
  headDim: 16,
  intermediateSize: 48,
  vocabSize: 96,
  contextLength: 64,
  normEpsilon: 1e-5,
  tiedEmbeddings: false,
  activation: 'silu',
  rope: { theta: 10_000, dim: 16, scaling: null, localTheta: null },
  layers: [
    { window: 0, rope: true },
    { window: 0, rope: true },
  ],
  qkvBias: false,
  qkNorm: false,
  sandwichNorms: false,
  normWeightOffset: 0,
  embeddingScale: 1,
  attentionScale: 0.25,
  attentionSoftcap: 0,
  finalSoftcap: 0,
};

export interface RandomModel {
  readonly config: DecoderConfig;
  readonly qkRowsPermuted: boolean;
  readonly parameterCount: number;
  readonly tensors: { readonly tensors: Map<string, SourceTensor>; dispose(): void };
}

/** A float32 tensor in memory. */
export function memoryTensor(name: string, shape: readonly number[], values: Float32Array): SourceTensor {
  const width = rowLength(shape);
  const readF32 = (from: number, count: number): Float32Array => values.slice(from * width, (from + count) * width);
  return { name, shape, type: 'F32', readF32, readRaw: (from, count) => new Uint8Array(readF32(from, count).buffer) };
}

/** The same weights for the same overrides. */
export function randomModel(overrides: Partial<DecoderConfig> = {}): RandomModel {
  const config = { ...DEFAULTS, ...overrides };
  const tensors = new Map<string, SourceTensor>();
  let seed = 1;
  for (const [name, shape] of decoderShapes(config)) {
    const centre = name.includes('norm') ? 1 : 0;
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return centre + (seed / 2 ** 32 - 0.5) * 0.5;
    });
    tensors.set(name, memoryTensor(name, shape, values));
  }
  return { config, qkRowsPermuted: false, parameterCount: 1, tensors: { tensors, dispose: () => undefined } };
}

function decoderShapes(config: DecoderConfig): readonly (readonly [string, readonly number[]])[] {
  const { hiddenSize, intermediateSize, vocabSize, headCount, kvHeadCount, headDim } = config;
  const layers = config.layers.flatMap((_, layer): [string, number[]][] => {
    const at = (rest: string): string => `model.layers.${layer}.${rest}`;
    return [
      [at('input_layernorm.weight'), [hiddenSize]],
      [at('post_attention_layernorm.weight'), [hiddenSize]],
      [at('self_attn.q_proj.weight'), [headCount * headDim, hiddenSize]],
      [at('self_attn.k_proj.weight'), [kvHeadCount * headDim, hiddenSize]],
      [at('self_attn.v_proj.weight'), [kvHeadCount * headDim, hiddenSize]],
      [at('self_attn.o_proj.weight'), [hiddenSize, headCount * headDim]],
      [at('mlp.gate_proj.weight'), [intermediateSize, hiddenSize]],
      [at('mlp.up_proj.weight'), [intermediateSize, hiddenSize]],
      [at('mlp.down_proj.weight'), [hiddenSize, intermediateSize]],
    ];
  });
  return [
    ['model.embed_tokens.weight', [vocabSize, hiddenSize]],
    ['model.norm.weight', [hiddenSize]],
    ['lm_head.weight', [vocabSize, hiddenSize]],
    ...layers,
  ];
}
