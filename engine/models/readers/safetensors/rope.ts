// Owns the rotary parameters of a config.json, in the forms of transformers 4 (`rope_theta`, `rope_scaling`) and 5
// (`rope_parameters`, for all layers or by layer type). Rules: transformers/modeling_rope_utils.py
import { EngineError } from '../../../errors.ts';
import type { RopeConfig } from '../../manifest.ts';
import { yarnAttentionFactor } from '../decoder-config.ts';
import type { JsonFields } from '../json-fields.ts';

export interface RopeFacts {
  readonly theta: number | null;
  readonly localTheta: number | null;
  readonly scaling: RopeConfig['scaling'];
  /** Part of each head that is rotated; null: all. */
  readonly partialFactor: number | null;
}

export function ropeFacts(config: JsonFields): RopeFacts {
  const parameters = config.object('rope_parameters');
  const full = parameters?.object('full_attention') ?? parameters;
  const local = parameters?.object('sliding_attention') ?? null;
  const scaling = full ?? config.object('rope_scaling');
  return {
    theta: full?.number('rope_theta') ?? config.number('rope_theta'),
    localTheta: local?.number('rope_theta') ?? config.number('rope_local_base_freq'),
    scaling: scaling === null ? null : scalingOf(scaling, config.number('max_position_embeddings')),
    partialFactor: full?.number('partial_rotary_factor') ?? config.number('partial_rotary_factor'),
  };
}

function scalingOf(fields: JsonFields, trainedLength: number | null): RopeConfig['scaling'] {
  const kind = fields.string('rope_type') ?? fields.string('type') ?? 'default';
  // `dynamic` changes nothing up to the trained length, and this engine goes no further.
  if (kind === 'default' || kind === 'dynamic') return null;
  const factor = fields.needed('factor');
  if (!(factor > 0)) throw new EngineError('model_file_invalid', `config.json is not usable: its rope factor is ${factor}.`);
  if (kind === 'linear') return { kind, factor };
  const originalContextLength =
    fields.number('original_max_position_embeddings') ?? trainedLength ?? fields.needed('original_max_position_embeddings');
  if (kind === 'llama3') {
    return {
      kind,
      factor,
      originalContextLength,
      lowFreqFactor: fields.needed('low_freq_factor'),
      highFreqFactor: fields.needed('high_freq_factor'),
    };
  }
  if (kind !== 'yarn' || fields.boolean('truncate') === false)
    throw new EngineError('unsupported_model', `The rope scaling ${kind.slice(0, 40)} is not supported as this model uses it.`);
  return {
    kind,
    factor,
    originalContextLength,
    betaFast: fields.number('beta_fast') ?? 32,
    betaSlow: fields.number('beta_slow') ?? 1,
    attentionFactor: fields.number('attention_factor') ?? mscaleFactor(fields, factor),
  };
}

/** DeepSeek's two-sided form of YaRN's temperature where a config has it, the plain one elsewhere. */
function mscaleFactor(fields: JsonFields, factor: number): number {
  const mscale = fields.number('mscale');
  const mscaleAllDim = fields.number('mscale_all_dim');
  if (!mscale || !mscaleAllDim || factor <= 1) return yarnAttentionFactor(factor);
  return (0.1 * mscale * Math.log(factor) + 1) / (0.1 * mscaleAllDim * Math.log(factor) + 1);
}
