// Long work that outlives a request: downloads, conversions, measurements. `POST /api/jobs/pull`, `/quantise`, `/evaluate`, `GET /api/jobs`, `DELETE /api/jobs/{id}`.
import type { ModelUse } from './status.ts';

export type JobState = 'waiting' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

export interface JobStatus {
  readonly id: string;
  readonly kind: 'pull' | 'quantise' | 'evaluate';
  /** What is worked on, such as the name of a model. */
  readonly title: string;
  readonly state: JobState;
  /** What happens now: `downloading`, `converting to int8`. */
  readonly step: string;
  readonly done: number;
  /** Null while unknown. */
  readonly total: number | null;
  readonly unit: 'bytes' | 'steps';
  /** Units a second, lately; null while unknown. */
  readonly rate: number | null;
  readonly etaMs: number | null;
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** What it achieved, or why it failed; null while it runs. */
  readonly result: string | null;
}

/** A model known by a short name, which can be pulled. `GET /api/catalogue` gives a list. */
export interface CatalogueModel {
  readonly id: string;
  readonly title: string;
  readonly use: ModelUse;
  readonly parameterCount: number;
  /** About what it takes on disk once it is installed in 8 bits. */
  readonly sizeBytes: number;
  /** About what it takes in memory while it runs. */
  readonly memoryBytes: number;
  /** Whether this machine has that memory: free now, when other programs leave it, or never. */
  readonly fit: 'fits' | 'tight' | 'too_large';
  /** As the hub names it. */
  readonly licence: string;
  /** In tokens. */
  readonly contextLength: number;
  /** About what one stream gets here, from what was measured of models of this machine; null before one was measured, and for encoders. */
  readonly tokensPerSecond: number | null;
}
