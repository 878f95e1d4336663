// Owns the jobs: which wait, run, are paused or have ended, and the processes of those that run.
// Knows nothing about HTTP or about how a model is pulled.
import { randomUUID } from 'node:crypto';
import type { JobStatus } from '../contract.ts';
import { EngineError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { EvaluateRequest, JobControl, JobRequest, LabJobs, PullRequest, QuantiseRequest } from './job-control.ts';
import { JobFile, type StoredJob } from './job-file.ts';
import { afterRestart, hasEnded, interruptedWords, isForgotten, planStarts } from './plan-jobs.ts';
import type { PullOutcome, PullProgress } from './pull-lines.ts';
import { continueOrphan, type PullProcess, type SpawnPull } from './pull-process.ts';

export interface JobsOptions {
  /** Where jobs are remembered over a restart. */
  readonly file: string;
  readonly spawn: SpawnPull;
  readonly log: Log;
  /** Jobs that run at the same time. */
  readonly most?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Job {
  status: JobStatus;
  readonly request: JobRequest;
  process: PullProcess | null;
  /** The process was told to end. */
  ending: boolean;
  progressAtMs: number;
}

const MOST = 2;
const DOING: Readonly<Record<JobStatus['kind'], string>> = { pull: 'pulled', quantise: 'quantised', evaluate: 'measured' };
const MAX_NAME = 1024;
/** Without news for so long, the speed is no longer known. */
const STALE_MS = 5000;
/** How long a process may take to end: for its own sake, and when the engine ends. */
const END_MS = 10_000;
const CLOSE_MS = 2000;

export class Jobs implements JobControl, LabJobs {
  readonly #options: JobsOptions;
  readonly #file: JobFile;
  readonly #now: () => number;
  #jobs: Job[] = [];
  #closed = false;
  #whenEnded: (() => void)[] = [];

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#file = new JobFile(options.file);
    this.#now = options.now ?? Date.now;
  }

  /** Reads what is remembered; jobs that ran when the engine ended have failed. */
  async open(): Promise<void> {
    const stored = await this.#file.read().catch((cause: unknown) => {
      this.#options.log.warn({ err: cause }, 'the list of jobs cannot be read');
      return [];
    });
    for (const { status, pid } of stored) if (status.state === 'paused' && pid !== null) continueOrphan(pid);
    const before = stored.map(({ status, request }) => ({
      status: afterRestart(status, this.#now()),
      request,
      process: null,
      ending: false,
      progressAtMs: 0,
    }));
    this.#jobs = [...before, ...this.#jobs];
    if (before.length > 0) void this.#save();
  }

  list(): readonly JobStatus[] {
    this.#jobs = this.#jobs.filter((job) => job.process !== null || !isForgotten(job.status, this.#now()));
    return this.#jobs.map((job) => this.#shown(job));
  }

  pull({ name, precision }: PullRequest): JobStatus {
    const title = name.trim();
    if (title === '' || title.length > MAX_NAME) throw invalid('name', `name must be 1 to ${MAX_NAME} characters.`);
    return this.#add(title, { kind: 'pull', name: title, precision });
  }

  quantise(request: Omit<QuantiseRequest, 'kind'>): JobStatus {
    return this.#add(`${request.model} to ${request.precision}`, { kind: 'quantise', ...request });
  }

  evaluate(request: Omit<EvaluateRequest, 'kind'>): JobStatus {
    return this.#add(`${request.model}:${request.variant}`, { kind: 'evaluate', ...request });
  }

  pause(id: string): JobStatus {
    const job = this.#find(id);
    if (hasEnded(job.status) || job.status.state === 'paused') throw invalid('id', `This job is ${job.status.state}; it cannot be paused.`);
    job.status = { ...job.status, state: 'paused' };
    if (job.process?.canPause === false) endProcess(job, END_MS);
    else job.process?.pause();
    this.#startNext();
    return this.#shown(job);
  }

  resume(id: string): JobStatus {
    const job = this.#find(id);
    if (job.status.state !== 'paused') throw invalid('id', `This job is ${job.status.state}, not paused.`);
    job.status = { ...job.status, state: 'waiting' };
    this.#startNext();
    return this.#shown(job);
  }

  cancel(id: string): JobStatus {
    const job = this.#find(id);
    if (hasEnded(job.status)) this.#jobs = this.#jobs.filter((other) => other !== job || job.process !== null);
    else
      this.#end(job, {
        state: 'cancelled',
        result: job.status.kind === 'pull' ? 'Cancelled; what was downloaded is kept.' : 'Cancelled; the model is as it was.',
      });
    endProcess(job, END_MS);
    this.#startNext();
    return this.#shown(job);
  }

  /** Ends the processes; what they were doing is remembered as interrupted. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#save();
    const open = this.#jobs.filter(({ process }) => process !== null);
    const ended = open.map(() => new Promise<void>((resolve) => this.#whenEnded.push(resolve)));
    for (const job of open) endProcess(job, CLOSE_MS);
    await Promise.all(ended);
    await this.#save();
  }

  #add(title: string, request: JobRequest): JobStatus {
    const { kind = 'pull' } = request;
    if (this.#jobs.some(({ status }) => status.kind === kind && status.title === title && !hasEnded(status)))
      throw invalid(kind === 'pull' ? 'name' : 'model', `${title} is being ${DOING[kind]} already.`);
    const job: Job = { status: newStatus(kind, title, this.#now()), request, process: null, ending: false, progressAtMs: 0 };
    this.#jobs.push(job);
    this.#startNext();
    return this.#shown(job);
  }

  #find(id: string): Job {
    const job = this.#jobs.find(({ status }) => status.id === id);
    if (job === undefined) throw new EngineError('not_found', `There is no job ${id}.`, { param: 'id' });
    return job;
  }

  /** A state has changed: starts what may start now, and remembers. */
  #startNext(): void {
    const views = this.#jobs.map(
      ({ status, request, process, ending }) =>
        ({ ...status, subject: subjectOf(request), process: ending ? 'ending' : process === null ? 'none' : 'alive' }) as const,
    );
    for (const id of this.#closed ? [] : planStarts(views, this.#options.most ?? MOST)) this.#start(this.#find(id));
    void this.#save();
  }

  #start(job: Job): void {
    const { process } = job;
    job.status = { ...job.status, state: 'running', step: process === null ? 'starting' : job.status.step };
    if (process !== null) return process.resume();
    job.process = this.#options.spawn(job.request, {
      onProgress: (progress) => this.#progressed(job, progress),
      onEnd: (outcome) => this.#ended(job, outcome),
    });
  }

  #progressed(job: Job, { step, done, total, unit, perSecond }: PullProgress): void {
    const etaMs =
      total === null || perSecond === null || perSecond <= 0 ? null : Math.max(0, Math.round(((total - done) / perSecond) * 1000));
    job.status = { ...job.status, step, done, total, unit, rate: perSecond, etaMs };
    job.progressAtMs = this.#now();
  }

  #ended(job: Job, outcome: PullOutcome): void {
    job.process = null;
    job.ending = false;
    const { state } = job.status;
    // Where processes cannot be stopped a pause ends them; resumed, the pull starts again and finds what was downloaded.
    if (state === 'running' || outcome.kind === 'done') this.#conclude(job, outcome);
    this.#whenEnded.pop()?.();
    if (!this.#closed) this.#startNext();
  }

  #conclude(job: Job, outcome: PullOutcome): void {
    this.#options.log.info({ job: job.status.title, ...outcome }, 'pull ended');
    // After `close` the file says that it was interrupted.
    if (this.#closed && outcome.kind === 'interrupted') return;
    if (outcome.kind === 'done') this.#end(job, { state: 'done', result: outcome.result });
    else
      this.#end(job, {
        state: 'failed',
        result: outcome.kind === 'failed' ? outcome.reason : interruptedWords(job.status.kind),
      });
  }

  #end(job: Job, how: Pick<JobStatus, 'state' | 'result'>): void {
    job.status = { ...job.status, ...how, rate: null, etaMs: null, endedMs: this.#now() };
  }

  #shown({ status, progressAtMs }: Job): JobStatus {
    const isStale = status.state !== 'running' || this.#now() - progressAtMs > staleMs(status);
    return isStale ? { ...status, rate: null, etaMs: null } : status;
  }

  #save(): Promise<void> {
    const jobs = this.#jobs.map(({ status, request, process }): StoredJob => ({ status, request, pid: process?.pid ?? null }));
    return this.#file.write(jobs).catch((cause: unknown) => this.#options.log.warn({ err: cause }, 'the list of jobs cannot be written'));
  }
}

function endProcess(job: Job, limitMs: number): void {
  job.ending = job.process !== null;
  job.process?.end(limitMs);
}

/** Steps may be rarer than that by nature. */
function staleMs({ unit, rate }: JobStatus): number {
  return unit === 'steps' && rate !== null && rate > 0 ? Math.max(STALE_MS, 3000 / rate) : STALE_MS;
}

/** What two jobs must not work on at once: their files lie in the same folder. */
function subjectOf(request: JobRequest): string {
  return request.kind === 'quantise' || request.kind === 'evaluate' ? request.model : request.name;
}

function newStatus(kind: JobStatus['kind'], title: string, nowMs: number): JobStatus {
  const times = { rate: null, etaMs: null, startedMs: nowMs, endedMs: null };
  return {
    id: randomUUID(),
    kind,
    title,
    state: 'waiting',
    step: 'waiting',
    done: 0,
    total: null,
    unit: 'bytes',
    ...times,
    result: null,
  };
}

function invalid(param: string, message: string): EngineError {
  return new EngineError('invalid_request', message, { param });
}
