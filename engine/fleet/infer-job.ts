// Owns one infer request on the engine's side. Knows nothing about processes.
import { fromWireError } from '../errors.ts';
import type { Tensor } from '../models/infer/tensors.ts';
import type { JobOutcome } from './encode-job.ts';
import type { InferRequest } from './host.ts';
import type { Job } from './requests.ts';

/** The job of an infer request. It may restart at any time: nothing of it is told before all of it is there. */
export function inferJob(id: number, { inputs, outputs, params }: InferRequest, outcome: JobOutcome<readonly Tensor[]>): Job {
  return {
    id,
    message: { kind: 'infer', id, inputs, outputs, params },
    deliver: (event) => event.kind === 'error' && outcome.reject(fromWireError(event.error)),
    answer: () => undefined,
    takeOutputs: outcome.resolve,
    mayRestart: () => true,
  };
}
