// Owns the bounds of an encoder's numbers, so that a hostile file cannot choose how much memory is taken.
import { EngineError } from '../../../errors.ts';
import type { EncoderConfig } from '../../manifest.ts';

/** Largest value that is believed for each count: beyond any model of these families, far below what would exhaust memory. */
const BOUNDS = {
  hiddenSize: 16_384,
  layerCount: 512,
  headCount: 1_024,
  headDim: 1_024,
  intermediateSize: 131_072,
  vocabSize: 4_194_304,
  contextLength: 131_072,
} as const;
/** GroupQueryAttention with rotation takes heads of multiples of this (ONNX Runtime 1.30, CPU). */
const ROTATED_HEAD_STEP = 16;
const MAX_TOKEN_TYPES = 1_024;

/** The same config. Throws `model_file_invalid` for numbers out of bounds, `unsupported_model` for what no operator computes. */
export function checkEncoderConfig(config: EncoderConfig): EncoderConfig {
  for (const [name, limit] of Object.entries(BOUNDS)) checkCount(name, config[name as keyof typeof BOUNDS], limit);
  checkEpsilon(config.normEpsilon);
  if (config.tokenTypeCount !== 0) checkCount('tokenTypeCount', config.tokenTypeCount, MAX_TOKEN_TYPES);
  for (const { reach } of config.layers) if (reach !== 0) checkCount('reach', reach, BOUNDS.contextLength);
  checkPositions(config);
  return config;
}

function checkPositions({ positions, headDim }: EncoderConfig): void {
  if (positions.kind === 'rope') {
    for (const theta of [positions.theta, positions.localTheta]) checkEpsilon(theta);
    if (headDim % ROTATED_HEAD_STEP !== 0)
      throw new EngineError(
        'unsupported_model',
        `This model cannot be run: its heads have ${headDim} dimensions, not a multiple of ${ROTATED_HEAD_STEP}.`,
      );
    return;
  }
  if (!Number.isInteger(positions.skippedRows) || positions.skippedRows < 0 || positions.skippedRows > 1_024)
    throw refused(`it skips ${positions.skippedRows} positions`);
  if (positions.kind === 'learned_and_relative') {
    checkCount('bucketCount', positions.bucketCount, 4_096);
    if (positions.bucketCount % 4 !== 0) throw refused(`it has ${positions.bucketCount} buckets of distance`);
  }
}

function checkCount(name: string, value: number, limit: number): void {
  if (!Number.isInteger(value) || value < 1 || value > limit) throw refused(`its ${name} is ${value}`);
}

function checkEpsilon(value: number): void {
  if (!Number.isFinite(value) || value <= 0) throw refused(`it divides by ${value}`);
}

function refused(fault: string): EngineError {
  return new EngineError('model_file_invalid', `The model's configuration is not usable: ${fault}.`);
}
