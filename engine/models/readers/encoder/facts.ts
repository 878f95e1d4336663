// Owns what the families' config.json files state, each under its own keys, and the families' fixed rules.
// Keys and defaults: the configuration classes in transformers/models/*/configuration_*.py, and nomic-ai's own for its models.
import { EngineError } from '../../../errors.ts';
import type { EncoderConfig, EncoderFamily, EncoderLayerConfig, EncoderPositions } from '../../manifest.ts';
import type { JsonFields } from '../json-fields.ts';

/** All but what the files beside config.json decide. */
export type EncoderFacts = Omit<EncoderConfig, 'head' | 'vocabSize' | 'headDim'>;

const FAMILIES: ReadonlyMap<string, EncoderFamily> = new Map<string, EncoderFamily>([
  ['bert', 'bert'],
  ['roberta', 'roberta'],
  ['xlm-roberta', 'roberta'],
  ['camembert', 'roberta'],
  ['mpnet', 'mpnet'],
  ['distilbert', 'distilbert'],
  ['nomic_bert', 'nomic_bert'],
  ['modernbert', 'modernbert'],
]);

/** transformers' names of activations. */
const ACTIVATIONS: ReadonlyMap<string, EncoderConfig['activation']> = new Map<string, EncoderConfig['activation']>([
  ['gelu', 'gelu'],
  ['gelu_new', 'gelu_tanh'],
  ['gelu_pytorch_tanh', 'gelu_tanh'],
  ['relu', 'relu'],
  ['silu', 'silu'],
  ['swiglu', 'silu'],
]);

const NORM_EPSILON = 1e-12;
const NOMIC_TRAINED_POSITIONS = 2048;

/** The family that `model_type` names; null for anything that is no encoder of these. */
export function encoderFamily(config: JsonFields): EncoderFamily | null {
  return FAMILIES.get(config.string('model_type') ?? '') ?? null;
}

/** Throws `unsupported_model` for switches that no graph here has, `model_file_invalid` for values that are missing. */
export function encoderFacts(family: EncoderFamily, config: JsonFields): EncoderFacts {
  switch (family) {
    case 'bert':
      return bertFacts(family, config, { kind: 'learned', skippedRows: 0 });
    case 'roberta':
      return bertFacts(family, config, { kind: 'learned', skippedRows: rowsBeforePositions(config) });
    case 'mpnet':
      return { ...bertFacts(family, config, mpnetPositions(config)), tokenTypeCount: 0 };
    case 'distilbert':
      return distilbertFacts(config);
    case 'nomic_bert':
      return nomicFacts(config);
    case 'modernbert':
      return modernbertFacts(config);
  }
}

/** fairseq's models give positions from the padding token's id on. */
function rowsBeforePositions(config: JsonFields): number {
  return (config.number('pad_token_id') ?? 1) + 1;
}

function mpnetPositions(config: JsonFields): EncoderPositions {
  const bucketCount = config.number('relative_attention_num_buckets') ?? 32;
  return { kind: 'learned_and_relative', skippedRows: rowsBeforePositions(config), bucketCount, maxDistance: 128 };
}

function bertFacts(family: EncoderFamily, config: JsonFields, positions: EncoderPositions): EncoderFacts {
  if ((config.string('position_embedding_type') ?? 'absolute') !== 'absolute') throw unsupported('its position embeddings are relative');
  if (config.boolean('is_decoder') === true) throw unsupported('it is set up as a decoder');
  const layerCount = config.needed('num_hidden_layers');
  const skippedRows = positions.kind === 'rope' ? 0 : positions.skippedRows;
  return {
    family,
    hiddenSize: config.needed('hidden_size'),
    layerCount,
    headCount: config.needed('num_attention_heads'),
    intermediateSize: config.needed('intermediate_size'),
    contextLength: (config.number('max_position_embeddings') ?? 512) - skippedRows,
    normEpsilon: config.number('layer_norm_eps') ?? NORM_EPSILON,
    normPlacement: 'post',
    activation: activationOf(config.string('hidden_act') ?? 'gelu'),
    gatedMlp: false,
    positions,
    tokenTypeCount: config.number('type_vocab_size') ?? 2,
    layers: sameLayers(layerCount),
  };
}

function distilbertFacts(config: JsonFields): EncoderFacts {
  const layerCount = config.number('n_layers') ?? 6;
  return {
    family: 'distilbert',
    hiddenSize: config.number('dim') ?? 768,
    layerCount,
    headCount: config.number('n_heads') ?? 12,
    intermediateSize: config.number('hidden_dim') ?? 3072,
    contextLength: config.number('max_position_embeddings') ?? 512,
    normEpsilon: NORM_EPSILON,
    normPlacement: 'post',
    activation: activationOf(config.string('activation') ?? 'gelu'),
    gatedMlp: false,
    positions: { kind: 'learned', skippedRows: 0 },
    tokenTypeCount: 0,
    layers: sameLayers(layerCount),
  };
}

/** nomic-ai's own files use GPT-2's keys; transformers', since it knows the family, BERT's. */
function nomicFacts(config: JsonFields): EncoderFacts {
  refuseNomicSwitches(config);
  const layerCount = config.number('n_layer') ?? config.needed('num_hidden_layers');
  const theta = config.number('rotary_emb_base') ?? config.object('rope_parameters')?.number('rope_theta') ?? 1000;
  const positions = config.number('n_positions') ?? config.number('max_position_embeddings') ?? NOMIC_TRAINED_POSITIONS;
  return {
    family: 'nomic_bert',
    hiddenSize: config.number('n_embd') ?? config.needed('hidden_size'),
    layerCount,
    headCount: config.number('n_head') ?? config.needed('num_attention_heads'),
    intermediateSize: config.number('n_inner') ?? config.needed('intermediate_size'),
    // Beyond the trained length its own code changes the frequencies with each text's length; that is not done here.
    contextLength: Math.min(positions, config.number('max_trained_positions') ?? NOMIC_TRAINED_POSITIONS),
    normEpsilon: config.number('layer_norm_epsilon') ?? config.number('layer_norm_eps') ?? NORM_EPSILON,
    normPlacement: 'post',
    activation: activationOf(config.string('activation_function') ?? config.string('hidden_act') ?? 'silu'),
    gatedMlp: true,
    positions: { kind: 'rope', theta, localTheta: theta },
    tokenTypeCount: config.number('type_vocab_size') ?? 2,
    layers: sameLayers(layerCount),
  };
}

function refuseNomicSwitches(config: JsonFields): void {
  for (const key of [
    'prenorm',
    'use_rms_norm',
    'parallel_block',
    'rotary_emb_interleaved',
    'qkv_proj_bias',
    'mlp_fc1_bias',
    'mlp_fc2_bias',
  ])
    if (config.boolean(key) === true) throw unsupported(`its ${key} is set`);
  if ((config.number('rotary_emb_fraction') ?? 1) !== 1) throw unsupported('it rotates a part of each head');
  if ((config.number('num_experts') ?? 0) > 0) throw unsupported('it is a mixture of experts');
  const rope = config.object('rope_parameters')?.string('rope_type') ?? 'default';
  if (rope !== 'default') throw unsupported(`its rotation is scaled by the rule ${rope.slice(0, 40)}`);
}

function modernbertFacts(config: JsonFields): EncoderFacts {
  const layerCount = config.needed('num_hidden_layers');
  const slides = slidingLayers(config);
  const reach = Math.floor((config.number('local_attention') ?? 128) / 2);
  return {
    family: 'modernbert',
    hiddenSize: config.needed('hidden_size'),
    layerCount,
    headCount: config.needed('num_attention_heads'),
    intermediateSize: config.needed('intermediate_size'),
    contextLength: config.number('max_position_embeddings') ?? 8192,
    normEpsilon: config.number('norm_eps') ?? 1e-5,
    normPlacement: 'pre',
    activation: activationOf(config.string('hidden_activation') ?? 'gelu'),
    gatedMlp: true,
    positions: modernbertPositions(config),
    tokenTypeCount: 0,
    layers: Array.from({ length: checkedCount(layerCount) }, (_, layer) => ({
      reach: slides(layer) ? reach : 0,
      attentionNorm: layer > 0,
    })),
  };
}

function modernbertPositions(config: JsonFields): EncoderPositions {
  const base = (layers: string, older: string, standard: number): number => {
    const rope = config.object('rope_parameters')?.object(layers);
    const rule = rope?.string('rope_type') ?? 'default';
    if (rule !== 'default') throw unsupported(`its rotation is scaled by the rule ${rule.slice(0, 40)}`);
    return rope?.number('rope_theta') ?? config.number(older) ?? standard;
  };
  if (config.has('rope_scaling')) throw unsupported('its rotation is scaled');
  const theta = base('full_attention', 'global_rope_theta', 160_000);
  return { kind: 'rope', theta, localTheta: base('sliding_attention', 'local_rope_theta', 10_000) };
}

function slidingLayers(config: JsonFields): (layer: number) => boolean {
  const types = config.array('layer_types');
  if (types !== null) return (layer) => types[layer] === 'sliding_attention';
  const every = config.number('global_attn_every_n_layers') ?? 3;
  return (layer) => layer % every !== 0;
}

function sameLayers(layerCount: number): readonly EncoderLayerConfig[] {
  return Array.from({ length: checkedCount(layerCount) }, () => ({ reach: 0, attentionNorm: true }));
}

/** A count becomes memory here, before the rest of the config is checked. */
function checkedCount(layerCount: number): number {
  if (Number.isInteger(layerCount) && layerCount >= 1 && layerCount <= 512) return layerCount;
  throw new EngineError('model_file_invalid', `The model's configuration is not usable: it has ${layerCount} layers.`);
}

function activationOf(name: string): EncoderConfig['activation'] {
  const activation = ACTIVATIONS.get(name);
  if (activation === undefined) throw unsupported(`its activation is ${name.slice(0, 40)}`);
  return activation;
}

function unsupported(why: string): EngineError {
  return new EngineError('unsupported_model', `This encoder is not supported: ${why}.`);
}
