// Owns the step from a config.json to a DecoderConfig.
// Keys and defaults: the families' configuration classes in transformers/models/*/configuration_*.py.
import { EngineError } from '../../../errors.ts';
import type { DecoderConfig, DecoderFamily } from '../../manifest.ts';
import { decoderConfig } from '../decoder-config.ts';
import type { JsonFields } from '../json-fields.ts';
import { ropeFacts, type RopeFacts } from './rope.ts';

const FAMILIES: ReadonlyMap<string, DecoderFamily> = new Map<string, DecoderFamily>([
  ['llama', 'llama'],
  ['mistral', 'mistral'],
  ['qwen2', 'qwen2'],
  ['qwen3', 'qwen3'],
  ['smollm3', 'smollm3'],
  ['gemma3', 'gemma3'],
  ['gemma3_text', 'gemma3'],
]);

interface FamilyDefaults {
  readonly headCount?: number;
  readonly kvHeadCount?: number;
  readonly headDim?: number;
  readonly contextLength?: number;
  readonly ropeTheta: number;
  readonly slidingWindow?: number;
}

/** What a config.json may leave out because its class has a default that the other families do not share. */
const DEFAULTS: Readonly<Record<DecoderFamily, FamilyDefaults>> = {
  llama: { ropeTheta: 10_000 },
  mistral: { ropeTheta: 10_000 },
  qwen2: { ropeTheta: 10_000 },
  qwen3: { ropeTheta: 10_000, headDim: 128 },
  smollm3: { ropeTheta: 2_000_000 },
  gemma3: { headCount: 8, kvHeadCount: 4, headDim: 256, contextLength: 131_072, ropeTheta: 1_000_000, slidingWindow: 4_096 },
};

const NORM_EPSILON = 1e-6;
const GEMMA3_LOCAL_THETA = 10_000;
const GEMMA3_ATTENTION_SCALAR = 256;
const GEMMA3_FULL_EVERY = 6;
const SMOLLM3_NO_ROPE_EVERY = 4;

/** What the tensors state beside the config. */
export interface TensorFacts {
  readonly vocabSize: number;
  readonly hasHead: boolean;
  readonly hasQkvBias: boolean;
}

/** The text model's part: multimodal configs keep it under `text_config`. */
export function textConfig(config: JsonFields): JsonFields {
  return config.object('text_config') ?? config;
}

/** Throws `unsupported_model` for other architectures and for weights quantised by another tool. */
export function safetensorsConfig(whole: JsonFields, facts: TensorFacts): DecoderConfig {
  const config = textConfig(whole);
  const family = familyOf(whole);
  refuseUnsupported(whole, config, family);
  const defaults = DEFAULTS[family];
  const rope = ropeFacts(config);
  const headCount = config.number('num_attention_heads') ?? defaults.headCount ?? config.needed('num_attention_heads');
  const hiddenSize = config.needed('hidden_size');
  const headDim = config.number('head_dim') ?? defaults.headDim ?? hiddenSize / headCount;
  const layerCount = config.needed('num_hidden_layers');
  return decoderConfig({
    family,
    hiddenSize,
    layerCount,
    headCount,
    kvHeadCount: config.number('num_key_value_heads') ?? defaults.kvHeadCount ?? null,
    headDim,
    intermediateSize: config.needed('intermediate_size'),
    vocabSize: facts.vocabSize,
    contextLength: contextLength(config, defaults, rope),
    normEpsilon: config.number('rms_norm_eps') ?? NORM_EPSILON,
    tiedEmbeddings: tiedEmbeddings(whole, facts.hasHead),
    qkvBias: facts.hasQkvBias,
    ropeTheta: rope.theta ?? defaults.ropeTheta,
    ropeDim: rope.partialFactor === null ? null : Math.trunc(headDim * rope.partialFactor),
    ropeScaling: rope.scaling,
    localTheta: family === 'gemma3' ? (rope.localTheta ?? GEMMA3_LOCAL_THETA) : null,
    slidingWindow: config.number('sliding_window') ?? defaults.slidingWindow ?? null,
    slides: slidingLayers(config, family),
    rotates: rotatingLayers(config, family),
    attentionScale: family === 'gemma3' ? (config.number('query_pre_attn_scalar') ?? GEMMA3_ATTENTION_SCALAR) ** -0.5 : null,
    normWeightOffset: family === 'gemma3' ? 1 : 0,
    attentionSoftcap: config.number('attn_logit_softcapping') ?? 0,
    finalSoftcap: config.number('final_logit_softcapping') ?? 0,
  });
}

/** Whether the output head is the embedding table; a head that is there all the same is not used then. */
export function tiedEmbeddings(whole: JsonFields, hasHead: boolean): boolean {
  return whole.boolean('tie_word_embeddings') ?? textConfig(whole).boolean('tie_word_embeddings') ?? !hasHead;
}

function familyOf(whole: JsonFields): DecoderFamily {
  const type = whole.string('model_type') ?? 'none';
  const family = FAMILIES.get(type);
  if (family !== undefined) return family;
  throw new EngineError(
    'unsupported_model',
    `The architecture ${type.slice(0, 80)} is not supported; ${[...FAMILIES.keys()].join(', ')} are.`,
  );
}

function refuseUnsupported(whole: JsonFields, config: JsonFields, family: DecoderFamily): void {
  if (whole.has('quantization_config'))
    throw new EngineError(
      'unsupported_model',
      'The weights were quantised by another tool; pull the model in its original precision or as GGUF.',
    );
  const activation = config.string('hidden_activation') ?? config.string('hidden_act');
  const wanted = family === 'gemma3' ? 'gelu_pytorch_tanh' : 'silu';
  if (activation !== null && activation !== wanted)
    throw new EngineError('unsupported_model', `The activation ${activation.slice(0, 40)} is not supported in ${family}.`);
}

/** Qwen's configs state the trained length and leave YaRN's extension to be multiplied. */
function contextLength(config: JsonFields, defaults: FamilyDefaults, rope: RopeFacts): number {
  const stated = config.number('max_position_embeddings') ?? defaults.contextLength ?? config.needed('max_position_embeddings');
  return rope.scaling?.kind === 'yarn' ? Math.max(stated, Math.floor(rope.scaling.factor * rope.scaling.originalContextLength)) : stated;
}

function slidingLayers(config: JsonFields, family: DecoderFamily): (layer: number) => boolean {
  const types = config.array('layer_types');
  if (types !== null) return (layer) => types[layer] === 'sliding_attention';
  if (family === 'mistral') return () => true;
  if (family === 'gemma3') {
    const every = config.number('sliding_window_pattern') ?? GEMMA3_FULL_EVERY;
    return (layer) => (layer + 1) % every !== 0;
  }
  const from = config.boolean('use_sliding_window') === true ? (config.number('max_window_layers') ?? 0) : Infinity;
  return (layer) => layer >= from;
}

function rotatingLayers(config: JsonFields, family: DecoderFamily): (layer: number) => boolean {
  if (family !== 'smollm3') return () => true;
  const flags = config.array('no_rope_layers');
  if (flags !== null) return (layer) => flags[layer] !== 0;
  const every = config.number('no_rope_layer_interval') ?? SMOLLM3_NO_ROPE_EVERY;
  return (layer) => (layer + 1) % every !== 0;
}
