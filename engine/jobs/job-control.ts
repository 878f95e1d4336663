// Owns the interface through which people steer long work: what the console asks of the jobs. Knows nothing about HTTP or processes.
import type { JobStatus } from '../contract.ts';

export interface PullRequest {
  /** A name of the catalogue or the hub, an address, or a path on this machine: what `millrace pull` takes. */
  readonly name: string;
  /** As `millrace pull --precision` takes it: `int8` or `int8,fp32`; null: its default. */
  readonly precision: string | null;
}

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
