// Owns what each precision means for an encoder on the CPU: the form of its projections, by measured speed and accuracy (DECISIONS.md).
// Knows nothing about files.
import { EngineError, assertNever } from '../../errors.ts';
import type { EncoderPlan } from '../graph/encoder/graph.ts';
import { float32Plan } from '../graph/float32.ts';
import type { Precision } from '../manifest.ts';
import { blockEmbedding } from './block-embedding.ts';
import { blocks4Asymmetric } from './block-linear.ts';
import { calibrateEncoder, type EncoderCalibrationRequest } from './encoder-calibrate.ts';
import { int8Linear } from './int8-linear.ts';
import { smoothedLinear } from './smoothed-linear.ts';

export interface EncoderPlanRequest extends EncoderCalibrationRequest {
  readonly precision: Precision;
}

/** Classifier heads stay float32: they are a thousandth of the work. INT8 runs the model once over a calibration text.
 *  Throws `unsupported_model` for a precision that no provider here computes in. */
export async function encoderPlan(request: EncoderPlanRequest): Promise<EncoderPlan> {
  const { precision } = request;
  switch (precision) {
    case 'fp32':
      return float32Plan;
    case 'int8':
      return int8Plan(request);
    case 'int4': {
      const format = blocks4Asymmetric(32);
      return { precision, method: format.name, embedding: blockEmbedding, format: () => format };
    }
    case 'fp16':
      throw new EngineError('unsupported_model', 'The CPU does not compute in fp16; choose fp32, int8 or int4.', { param: 'precision' });
    default:
      return assertNever(precision);
  }
}

/** What attention and the MLP read has a few channels ten times larger than the rest: they are smoothed. The two other projections'
 *  inputs are even enough. */
async function int8Plan(request: EncoderPlanRequest): Promise<EncoderPlan> {
  const maxima = await calibrateEncoder(request);
  return {
    precision: 'int8',
    method: '8-bit weights and activations, SmoothQuant 0.5 before attention and MLP',
    embedding: blockEmbedding,
    format: (layer, projection) =>
      layer !== null && (projection === 'qkv' || projection === 'gate_up')
        ? smoothedLinear(int8Linear, maxima(layer, projection))
        : int8Linear,
  };
}
