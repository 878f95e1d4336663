// Owns the step from what a file states about a decoder to a complete DecoderConfig: family rules and bounds.
// Knows no file format.
import { EngineError } from '../../errors.ts';
import type { DecoderConfig, DecoderFamily, RopeConfig } from '../manifest.ts';

/** What both GGUF metadata and config.json state; null where the family's rule decides. */
export interface DecoderFacts {
  readonly family: DecoderFamily;
  readonly hiddenSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly kvHeadCount: number | null;
  readonly headDim: number | null;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly tiedEmbeddings: boolean;
  readonly qkvBias: boolean;
  readonly ropeTheta: number;
  readonly ropeDim: number | null;
  readonly ropeScaling: RopeConfig['scaling'];
  readonly localTheta: number | null;
  /** Window of sliding-window layers; null or 0: every layer sees everything. */
  readonly slidingWindow: number | null;
  /** Which layers slide. */
  readonly slides: (layer: number) => boolean;
  /** Which layers rotate. */
  readonly rotates: (layer: number) => boolean;
  /** Factor on q·k; null: 1/sqrt(headDim). */
  readonly attentionScale: number | null;
  readonly normWeightOffset: number;
  readonly attentionSoftcap: number;
  readonly finalSoftcap: number;
}

/** Largest value that is believed for each count; beyond any model of these families, far below what would exhaust memory. */
const BOUNDS = {
  hiddenSize: 65_536,
  layerCount: 512,
  headCount: 1_024,
  kvHeadCount: 1_024,
  headDim: 1_024,
  intermediateSize: 1_048_576,
  vocabSize: 4_194_304,
  contextLength: 134_217_728,
} as const;

/** Throws `model_file_invalid` for counts out of bounds or at odds with each other. */
export function decoderConfig(facts: DecoderFacts): DecoderConfig {
  const kvHeadCount = facts.kvHeadCount ?? facts.headCount;
  const headDim = facts.headDim ?? facts.hiddenSize / facts.headCount;
  const ropeDim = facts.ropeDim ?? headDim;
  checkBounds({ ...facts, kvHeadCount, headDim });
  if (facts.headCount % kvHeadCount !== 0) throw refused(`${facts.headCount} heads do not share ${kvHeadCount} key/value heads evenly`);
  if (headDim % 2 !== 0 || ropeDim % 2 !== 0 || ropeDim < 2 || ropeDim > headDim)
    throw refused(`it rotates ${ropeDim} of ${headDim} head dimensions`);
  checkPositive({
    normEpsilon: facts.normEpsilon,
    ropeTheta: facts.ropeTheta,
    localTheta: facts.localTheta ?? 1,
    attentionScale: facts.attentionScale ?? 1,
  });
  checkScaling(facts.ropeScaling, ropeDim);
  const gemma = facts.family === 'gemma3';
  return {
    family: facts.family,
    hiddenSize: facts.hiddenSize,
    layerCount: facts.layerCount,
    headCount: facts.headCount,
    kvHeadCount,
    headDim,
    intermediateSize: facts.intermediateSize,
    vocabSize: facts.vocabSize,
    contextLength: facts.contextLength,
    normEpsilon: facts.normEpsilon,
    tiedEmbeddings: facts.tiedEmbeddings,
    activation: gemma ? 'gelu_tanh' : 'silu',
    rope: { theta: facts.ropeTheta, dim: ropeDim, scaling: facts.ropeScaling, localTheta: facts.localTheta },
    layers: Array.from({ length: facts.layerCount }, (_, layer) => ({
      window: facts.slides(layer) ? (facts.slidingWindow ?? 0) : 0,
      rope: facts.rotates(layer),
    })),
    qkvBias: facts.qkvBias,
    qkNorm: gemma || facts.family === 'qwen3',
    sandwichNorms: gemma,
    normWeightOffset: facts.normWeightOffset,
    embeddingScale: gemma ? Math.sqrt(facts.hiddenSize) : 1,
    attentionScale: facts.attentionScale ?? 1 / Math.sqrt(headDim),
    attentionSoftcap: facts.attentionSoftcap,
    finalSoftcap: facts.finalSoftcap,
  };
}

/** YaRN's temperature as transformers computes it when the file states none (arXiv 2309.00071, section 3.4). */
export function yarnAttentionFactor(factor: number): number {
  return factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
}

/** Whatever is divided by must not be zero, and a list of factors has one for each frequency. */
function checkScaling(scaling: RopeConfig['scaling'], ropeDim: number): void {
  if (scaling === null) return;
  if (scaling.kind === 'factors') {
    if (scaling.factors.length !== ropeDim / 2)
      throw refused(`it has ${scaling.factors.length} rope factors for ${ropeDim / 2} frequencies`);
    return scaling.factors.forEach((factor) => checkPositive({ ropeFactor: factor }));
  }
  const { kind, ...numbers } = scaling;
  checkPositive(numbers);
  if (kind === 'llama3' && scaling.lowFreqFactor >= scaling.highFreqFactor)
    throw refused('its rope frequency factors are in the wrong order');
}

function checkBounds(counts: Readonly<Record<keyof typeof BOUNDS, number>>): void {
  for (const [name, limit] of Object.entries(BOUNDS)) {
    const value = counts[name as keyof typeof BOUNDS];
    if (!Number.isInteger(value) || value < 1 || value > limit) throw refused(`its ${name} is ${value}`);
  }
}

function checkPositive(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value) || value <= 0) throw refused(`its ${name} is ${value}`);
  }
}

function refused(fault: string): EngineError {
  return new EngineError('model_file_invalid', `The model's configuration is not usable: ${fault}.`);
}
