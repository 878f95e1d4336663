// Owns which tensors a decoder must have and in which shape, by canonical name.
// Knows no file format; what it accepts, a graph writer can rely on.
import { EngineError } from '../../errors.ts';
import type { DecoderConfig } from '../manifest.ts';
import type { SourceTensor } from './tensors.ts';

/** Name and shape of every tensor of the model, in the order of use. */
export function expectedTensors(config: DecoderConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([['model.embed_tokens.weight', [config.vocabSize, config.hiddenSize]]]);
  for (let layer = 0; layer < config.layerCount; layer++) {
    for (const [name, shape] of layerTensors(config)) shapes.set(`model.layers.${layer}.${name}`, shape);
  }
  shapes.set('model.norm.weight', [config.hiddenSize]);
  if (!config.tiedEmbeddings) shapes.set('lm_head.weight', [config.vocabSize, config.hiddenSize]);
  return shapes;
}

function layerTensors(config: DecoderConfig): readonly (readonly [string, readonly number[]])[] {
  const { hiddenSize: hidden, intermediateSize: inner, headDim } = config;
  const qRows = config.headCount * headDim;
  const kvRows = config.kvHeadCount * headDim;
  const norm = [hidden] as const;
  return [
    ['input_layernorm.weight', norm],
    ['self_attn.q_proj.weight', [qRows, hidden]],
    ['self_attn.k_proj.weight', [kvRows, hidden]],
    ['self_attn.v_proj.weight', [kvRows, hidden]],
    ...(config.qkvBias
      ? ([
          ['self_attn.q_proj.bias', [qRows]],
          ['self_attn.k_proj.bias', [kvRows]],
          ['self_attn.v_proj.bias', [kvRows]],
        ] as const)
      : []),
    ...(config.qkNorm
      ? ([
          ['self_attn.q_norm.weight', [headDim]],
          ['self_attn.k_norm.weight', [headDim]],
        ] as const)
      : []),
    ['self_attn.o_proj.weight', [hidden, qRows]],
    ['post_attention_layernorm.weight', norm],
    ...(config.sandwichNorms
      ? ([
          ['pre_feedforward_layernorm.weight', norm],
          ['post_feedforward_layernorm.weight', norm],
        ] as const)
      : []),
    ['mlp.gate_proj.weight', [inner, hidden]],
    ['mlp.up_proj.weight', [inner, hidden]],
    ['mlp.down_proj.weight', [hidden, inner]],
  ];
}

/**
 * Throws `model_file_invalid` when a tensor is missing or has another shape, `unsupported_model` when there is one that this
 * family's graph would not use: its result would be wrong without a word.
 */
export function checkTensors(config: DecoderConfig, tensors: ReadonlyMap<string, SourceTensor>): void {
  const expected = expectedTensors(config);
  for (const [name, shape] of expected) {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new EngineError('model_file_invalid', `The model has no tensor ${name}.`);
    if (tensor.shape.join() !== shape.join()) {
      throw new EngineError(
        'model_file_invalid',
        `The tensor ${name} has the shape [${tensor.shape.join(', ')}]; [${shape.join(', ')}] is needed.`,
      );
    }
  }
  for (const name of tensors.keys()) {
    if (!expected.has(name))
      throw new EngineError(
        'unsupported_model',
        `The tensor ${name.slice(0, 120)} is not part of the ${config.family} family as supported here.`,
      );
  }
}
