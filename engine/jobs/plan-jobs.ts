// Decides which jobs run now, and what is left of them after a restart. Pure.
import type { JobStatus } from '../contract.ts';

export interface JobView {
  readonly id: string;
  /** What it works on: the model's name. */
  readonly subject: string;
  readonly state: JobStatus['state'];
  /** `ending`: it was told to end, and is still there. */
  readonly process: 'none' | 'alive' | 'ending';
}

/** Ended jobs are remembered this long. */
const KEPT_MS = 3_600_000;

export function hasEnded({ state }: Pick<JobStatus, 'state'>): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

/** The waiting jobs whose turn it is, oldest first. Paused jobs take no place; processes of other jobs on the same model must be gone. */
export function planStarts(jobs: readonly JobView[], most: number): readonly string[] {
  const places = most - jobs.filter(({ state, process }) => state === 'running' || process === 'ending').length;
  const isFree = (job: JobView): boolean =>
    job.process !== 'ending' && jobs.every((other) => other === job || other.subject !== job.subject || other.process === 'none');
  return jobs
    .filter((job) => job.state === 'waiting' && isFree(job))
    .slice(0, Math.max(0, places))
    .map(({ id }) => id);
}

export function isForgotten({ endedMs }: JobStatus, nowMs: number): boolean {
  return endedMs !== null && nowMs - endedMs > KEPT_MS;
}

/** What became of a job whose engine has ended: its process went with it. */
export function afterRestart(status: JobStatus, nowMs: number): JobStatus {
  if (hasEnded(status)) return status;
  const result = interruptedWords(status.kind, 'when the server ended');
  return { ...status, state: 'failed', rate: null, etaMs: null, endedMs: nowMs, result };
}

/** What an interrupted job leaves to do. `when` names the cause where it is known. */
export function interruptedWords(kind: JobStatus['kind'], when = ''): string {
  const what = when === '' ? 'Interrupted' : `Interrupted ${when}`;
  return kind === 'pull' ? `${what}; pull it again to go on from there.` : `${what}; the model is as it was. Start it again.`;
}
