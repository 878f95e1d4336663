// Tells a pull as Ollama does: a line for each step and each advance, the last says `success` or why not.
// The pull is a job of the server: it goes on when nobody listens.
import { setTimeout as delay } from 'node:timers/promises';
import type { JobStatus } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { JobControl } from '../../jobs/job-control.ts';
import { ollamaError } from '../error-dialect.ts';

const LOOK_MS = 250;

/** Joins the job that pulls this name already, or starts one. @throws EngineError `invalid_request` */
export function pullJob(jobs: JobControl, name: string): JobStatus {
  const open = jobs.list().find(({ title, endedMs }) => title === name.trim() && endedMs === null);
  return open ?? jobs.pull({ name, precision: null });
}

/** The lines of a job, from now to its end; ends early when `signal` says so. */
export async function* pullLines(jobs: JobControl, id: string, signal: AbortSignal): AsyncGenerator<object> {
  yield { status: 'pulling manifest' };
  let last = '';
  while (!signal.aborted) {
    const job = jobs.list().find((other) => other.id === id);
    const next = job === undefined ? failed('The pull was ended.') : tell(job);
    if (JSON.stringify(next) !== last) yield next;
    last = JSON.stringify(next);
    if (job === undefined || job.endedMs !== null) return;
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

function tell(job: JobStatus): object {
  if (job.state === 'done') return { status: 'success' };
  if (job.endedMs !== null) return failed(job.result ?? `The pull was ${job.state}.`);
  if (job.unit !== 'bytes' || job.total === null) return { status: job.step };
  return { status: `pulling ${job.title}`, digest: job.title, total: job.total, completed: job.done };
}

const failed = (reason: string): object => ollamaError(new EngineError('source_unreachable', reason));
