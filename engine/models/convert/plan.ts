// Owns what a precision means for a source: which form each of its projections takes.
// Knows nothing about files.
import { EngineError } from '../../errors.ts';
import { float32Plan } from '../graph/float32.ts';
import type { PrecisionPlan } from '../graph/linear.ts';
import type { Precision } from '../manifest.ts';
import type { SourceModel } from '../readers/source-model.ts';

export interface PlanRequest {
  readonly source: SourceModel;
  readonly precision: Precision;
  readonly signal?: AbortSignal;
}

/** Throws `unsupported_model` for a precision that no provider here computes in. */
export async function planFor({ precision }: PlanRequest): Promise<PrecisionPlan> {
  if (precision === 'fp32') return float32Plan;
  throw new EngineError('unsupported_model', `The precision ${precision} is not available on the CPU.`, { param: 'precision' });
}
