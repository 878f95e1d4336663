// Owns the step from GGUF metadata to a DecoderConfig.
// Keys: gguf-py/gguf/constants.py; defaults that llama.cpp does not store: src/models/{gemma3,smollm3}.cpp.
import { EngineError } from '../../../errors.ts';
import type { DecoderConfig, DecoderFamily, RopeConfig } from '../../manifest.ts';
import { decoderConfig, yarnAttentionFactor } from '../decoder-config.ts';
import type { Metadata } from './metadata.ts';

const FAMILIES: ReadonlySet<string> = new Set<DecoderFamily>(['llama', 'mistral', 'qwen2', 'qwen3', 'smollm3', 'gemma3']);

/** Families whose q and k rows the converter interleaves per head (`undo_permute` of its LlamaModel). */
const PERMUTED: ReadonlySet<DecoderFamily> = new Set(['llama', 'mistral', 'smollm3']);

/** Every n-th layer sees everything (gemma3), or does not rotate (smollm3). */
const GEMMA3_FULL_EVERY = 6;
const SMOLLM3_NO_ROPE_EVERY = 4;
const GEMMA3_LOCAL_THETA = 10_000;
/** gemma3 27B, told by its layers, scales by hidden/heads and not by head size. */
const GEMMA3_27B_LAYERS = 62;

export function familyOf(metadata: Metadata): DecoderFamily {
  const architecture = metadata.string('general.architecture') ?? 'none';
  if (FAMILIES.has(architecture)) return architecture as DecoderFamily;
  const known = [...FAMILIES].join(', ');
  throw new EngineError('unsupported_model', `The architecture ${architecture.slice(0, 80)} is not supported; ${known} are.`);
}

export function isPermuted(family: DecoderFamily): boolean {
  return PERMUTED.has(family);
}

/** What the tensor list states beside the metadata. */
export interface TensorFacts {
  readonly vocabSize: number;
  readonly hasHead: boolean;
  readonly hasQkvBias: boolean;
  /** Content of `rope_freqs.weight`, which divides the frequencies; null when absent. */
  readonly ropeFactors: readonly number[] | null;
}

export function ggufConfig(metadata: Metadata, facts: TensorFacts): DecoderConfig {
  const family = familyOf(metadata);
  const number = (key: string): number | null => metadata.number(`${architectureKey(metadata)}.${key}`);
  const needed = (key: string): number => number(key) ?? missing(key);
  const layerCount = needed('block_count');
  const headCount = needed('attention.head_count');
  const hiddenSize = needed('embedding_length');
  return decoderConfig({
    family,
    hiddenSize,
    layerCount,
    headCount,
    kvHeadCount: number('attention.head_count_kv'),
    headDim: number('attention.key_length'),
    intermediateSize: needed('feed_forward_length'),
    vocabSize: facts.vocabSize,
    contextLength: needed('context_length'),
    normEpsilon: needed('attention.layer_norm_rms_epsilon'),
    tiedEmbeddings: !facts.hasHead,
    qkvBias: facts.hasQkvBias,
    ropeTheta: number('rope.freq_base') ?? 10_000,
    ropeDim: number('rope.dimension_count'),
    ropeScaling: facts.ropeFactors === null ? ropeScaling(metadata, number) : { kind: 'factors', factors: facts.ropeFactors },
    localTheta: family === 'gemma3' ? (number('rope.freq_base_swa') ?? GEMMA3_LOCAL_THETA) : null,
    slidingWindow: number('attention.sliding_window'),
    slides: (layer) => family === 'mistral' || (family === 'gemma3' && (layer + 1) % GEMMA3_FULL_EVERY !== 0),
    rotates: (layer) => family !== 'smollm3' || (layer + 1) % SMOLLM3_NO_ROPE_EVERY !== 0,
    attentionScale: family === 'gemma3' && layerCount === GEMMA3_27B_LAYERS ? 1 / Math.sqrt(hiddenSize / headCount) : null,
    normWeightOffset: 0,
    attentionSoftcap: number('attn_logit_softcapping') ?? 0,
    finalSoftcap: number('final_logit_softcapping') ?? 0,
  });
}

function architectureKey(metadata: Metadata): string {
  return metadata.string('general.architecture') ?? '';
}

function ropeScaling(metadata: Metadata, number: (key: string) => number | null): RopeConfig['scaling'] {
  const type = metadata.string(`${architectureKey(metadata)}.rope.scaling.type`) ?? 'none';
  const factor = number('rope.scaling.factor') ?? 1;
  if (!(factor > 0)) throw new EngineError('model_file_invalid', `The GGUF file is not usable: its rope scaling factor is ${factor}.`);
  if (type === 'none' || factor === 1) return null;
  if (type === 'linear') return { kind: 'linear', factor };
  if (type !== 'yarn') throw new EngineError('unsupported_model', `The rope scaling ${type.slice(0, 40)} is not supported in a GGUF file.`);
  return {
    kind: 'yarn',
    factor,
    originalContextLength: number('rope.scaling.original_context_length') ?? missing('rope.scaling.original_context_length'),
    betaFast: number('rope.scaling.yarn_beta_fast') ?? 32,
    betaSlow: number('rope.scaling.yarn_beta_slow') ?? 1,
    attentionFactor: yarnAttentionFactor(factor) * (number('rope.scaling.attn_factor') ?? 1),
  };
}

function missing(key: string): never {
  throw new EngineError('model_file_invalid', `The GGUF file is not usable: its metadata has no ${key}.`);
}
