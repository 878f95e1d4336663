// Owns what a precision means for a source: which form each of its projections takes.
// Knows nothing about files.
import { availableParallelism } from 'node:os';
import { EngineError, assertNever } from '../../errors.ts';
import { float32Plan } from '../graph/float32.ts';
import type { PrecisionPlan } from '../graph/linear.ts';
import type { Precision } from '../manifest.ts';
import { int4Plan, int8Plan } from '../quantise/plans.ts';
import { faultyForms } from '../quantise/self-test.ts';
import type { SourceModel } from '../readers/source-model.ts';

export interface PlanRequest {
  readonly source: SourceModel;
  readonly precision: Precision;
  /** As in `ConvertRequest`. */
  readonly anew?: boolean;
  /** Where what the plan needs may lie until the variant is written; made when it is needed. */
  readonly folder: string;
  /** Layers that were prepared, of those there are; not called for plans that need no such work. */
  readonly onLayer?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** INT8 and INT4 run the model over a calibration text. Throws `unsupported_model` for a precision that no provider here computes in. */
export async function planFor(request: PlanRequest): Promise<PrecisionPlan> {
  const calibrated = { ...request, threads: availableParallelism() };
  switch (request.precision) {
    case 'fp32':
      return float32Plan;
    case 'int8':
      refuseFaultyKernels();
      return int8Plan(calibrated);
    case 'int4':
      refuseFaultyKernels();
      return int4Plan(calibrated);
    case 'fp16':
      // CPUs have no fast float16 multiplication: there it is a storage format, and takes twice the memory of 8-bit weights.
      throw new EngineError('unsupported_model', 'The CPU does not compute in fp16; choose fp32, int8 or int4.', { param: 'precision' });
    default:
      return assertNever(request.precision);
  }
}

/** Wrong kernels answer fluently and wrongly: better no variant than such a one. */
function refuseFaultyKernels(): void {
  const faulty = faultyForms();
  if (faulty.length === 0) return;
  const message = `ONNX Runtime computes wrongly on this processor in: ${faulty.join(', ')}. Choose fp32.`;
  throw new EngineError('unsupported_model', message, { param: 'precision' });
}
