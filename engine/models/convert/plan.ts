// Owns what a precision means for a source: which form each of its projections takes.
// Knows nothing about files.
import { EngineError, assertNever } from '../../errors.ts';
import { float32Plan } from '../graph/float32.ts';
import type { PrecisionPlan } from '../graph/linear.ts';
import type { Precision } from '../manifest.ts';
import { blocks8Plan, int4Plan } from '../quantise/plans.ts';
import type { SourceModel } from '../readers/source-model.ts';

export interface PlanRequest {
  readonly source: SourceModel;
  readonly precision: Precision;
  readonly signal?: AbortSignal;
}

/** Throws `unsupported_model` for a precision that no provider here computes in. */
export async function planFor({ source, precision }: PlanRequest): Promise<PrecisionPlan> {
  switch (precision) {
    case 'fp32':
      return float32Plan;
    case 'int8':
      return blocks8Plan(64);
    case 'int4':
      return int4Plan(source);
    case 'fp16':
      // CPUs have no fast float16 multiplication: there it is a storage format, and takes twice the memory of 8-bit weights.
      throw new EngineError('unsupported_model', 'The CPU does not compute in fp16; choose fp32, int8 or int4.', { param: 'precision' });
    default:
      return assertNever(precision);
  }
}
