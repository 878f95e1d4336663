// Owns the interface through which people steer long work: what the console asks of the jobs. Knows nothing about HTTP or processes.
import type { JobStatus } from '../contract.ts';

export interface PullRequest {
  readonly kind?: 'pull';
  /** A name of the catalogue or the hub, an address, or a path on this machine: what `millrace pull` takes. */
  readonly name: string;
  /** As `millrace pull --precision` takes it: `int8` or `int8,fp32`; null: its default. */
  readonly precision: string | null;
}

/** One more variant of an installed model, and what it costs. */
export interface QuantiseRequest {
  readonly kind: 'quantise';
  /** Id of an installed model. */
  readonly model: string;
  readonly precision: string;
  /** Round the weights of a 4-bit file anew. */
  readonly anew: boolean;
}

/** Measures a variant that is there. */
export interface EvaluateRequest {
  readonly kind: 'evaluate';
  readonly model: string;
  readonly variant: string;
}

export type JobRequest = PullRequest | QuantiseRequest | EvaluateRequest;

export interface JobControl {
  /** Those under way and those that ended within the hour; oldest first. */
  list(): readonly JobStatus[];
  /** Starts it, or lets it wait for its turn. @throws EngineError `invalid_request` for a name that is being pulled already */
  pull(request: PullRequest): JobStatus;
  /** @throws EngineError `not_found`; `invalid_request` when it does not run */
  pause(id: string): JobStatus;
  /** @throws EngineError `not_found`; `invalid_request` when it is not paused */
  resume(id: string): JobStatus;
  /** Ends a job; what was downloaded stays, and a later pull goes on from there. A job that has ended is forgotten.
   *  @throws EngineError `not_found` */
  cancel(id: string): JobStatus;
}

/** Work on the variants of installed models, as jobs among the others. */
export interface LabJobs {
  /** Starts it, or lets it wait for its turn. @throws EngineError `invalid_request` when the same is under way already */
  quantise(request: Omit<QuantiseRequest, 'kind'>): JobStatus;
  /** As `quantise`. */
  evaluate(request: Omit<EvaluateRequest, 'kind'>): JobStatus;
}
