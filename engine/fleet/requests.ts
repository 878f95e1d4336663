// Owns the requests of one model: which wait for its process, which run in it, and what becomes of them when it dies.
// Knows nothing about processes.
import { EngineError, toWireError, type WireError } from '../errors.ts';
import type { Charge, EncodedBatch, GenerateEvent, InferredOutputs, ToRunner } from '../runner/protocol.ts';
import { startInMs } from './eta.ts';
import type { Charging, GenerationProgress } from './host.ts';
import { RATE_WINDOW, retryAfterSeconds } from './retry-after.ts';

/** A request on its way through a runner. */
export interface Job extends Charging {
  readonly id: number;
  readonly message: Extract<ToRunner, { readonly kind: 'generate' | 'tokenize' | 'encode' | 'infer' }>;
  /** Every event of a generation; of other jobs only `error`. */
  deliver(event: GenerateEvent): void;
  /** The tokens of a tokenization. */
  answer(tokens: readonly number[]): void;
  /** Takes one row of an encode job; true when it was the last one missing. A row may come again after a restart. */
  takeRow?(row: EncodedBatch['rows'][number], values: Float32Array): boolean;
  /** Takes the outputs of an infer job. */
  takeOutputs?(outputs: InferredOutputs['outputs']): void;
  /** Asked when the runner died after events were delivered: whether they can be forgotten and the request run again. */
  mayRestart(): boolean;
}

interface Entry {
  readonly job: Job;
  readonly addedMs: number;
  /** When it got a slot; null: it has none. */
  admittedMs: number | null;
  /** Events of it were delivered. */
  touched: boolean;
  restarted: boolean;
}

export class Requests {
  readonly #limit: number;
  readonly #now: () => number;
  #waiting: Entry[] = [];
  readonly #sent = new Map<number, Entry>();
  /** Cancelled, but not charged to the end. */
  readonly #leaving = new Map<number, Job>();
  #finishedAtMs: number[] = [];
  #busySinceMs = 0;
  #lastUsedMs = 0;

  /** `limit` bounds waiting and running requests together. */
  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  get count(): number {
    return this.#waiting.length + this.#sent.size;
  }

  get sentCount(): number {
    return this.#sent.size;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get lastUsedMs(): number {
    return this.#lastUsedMs;
  }

  /** Lets the job wait, or refuses it with `queue_full` as its first and last event. */
  add(job: Job): void {
    this.#lastUsedMs = this.#now();
    if (this.count === 0) this.#busySinceMs = this.#lastUsedMs;
    if (this.count < this.#limit)
      this.#waiting.push({ job, addedMs: this.#lastUsedMs, admittedMs: null, touched: false, restarted: false });
    else job.deliver(this.#withRetryAfter(errorEvent(job, queueFull(this.#limit))));
  }

  /** Those that wait, oldest first; from now on they run. */
  takeWaiting(): readonly Job[] {
    const entries = this.#waiting;
    this.#waiting = [];
    for (const entry of entries) this.#sent.set(entry.job.id, entry);
    return entries.map((entry) => entry.job);
  }

  /** True when the request was running: the runner must be told, and tells when it is settled. */
  cancel(id: number): boolean {
    const waiting = this.#waiting.find((entry) => entry.job.id === id);
    const running = this.#sent.get(id);
    if (waiting !== undefined || running !== undefined) this.#lastUsedMs = this.#now();
    if (running !== undefined) this.#leaving.set(id, running.job);
    this.#waiting = this.#waiting.filter((entry) => entry !== waiting);
    waiting?.job.onSettled?.();
    return this.#sent.delete(id);
  }

  admitted(id: number): void {
    const entry = this.#sent.get(id);
    if (entry !== undefined) entry.admittedMs = this.#now();
  }

  /** Hands each charge to its request, those that were cancelled included. */
  charge(charges: readonly Charge[], settled: readonly number[]): void {
    for (const { id, deviceMs } of charges) (this.#sent.get(id)?.job ?? this.#leaving.get(id))?.onCharge?.(deviceMs);
    for (const id of settled) this.#settle(id);
  }

  /** Where a generation stands. `isLoaded`: the model can take requests. */
  progress(id: number, isLoaded: boolean): GenerationProgress {
    const entry = this.#sent.get(id);
    if (entry !== undefined && (entry.touched || entry.admittedMs !== null)) {
      const waited = entry.admittedMs === null ? {} : { waitedMs: entry.admittedMs - entry.addedMs };
      return { phase: entry.touched ? 'decode' : 'prefill', position: null, etaMs: null, ...waited };
    }
    const position = this.#placeOf(id);
    const ends = { finishedAtMs: this.#finishedAtMs, busySinceMs: this.#busySinceMs };
    const etaMs = isLoaded ? startInMs(position, ends, this.#now()) : null;
    return { phase: isLoaded ? 'queued' : 'loading', position, etaMs };
  }

  /** From 1. Runners admit in the order in which requests were sent. */
  #placeOf(id: number): number {
    let place = 1;
    for (const { job, admittedMs, touched } of this.#sent.values()) {
      if (job.id === id) return place;
      if (job.message.kind === 'generate' && admittedMs === null && !touched) place++;
    }
    const behind = this.#waiting.findIndex((entry) => entry.job.id === id);
    return place + Math.max(0, behind);
  }

  /** Hands an event to its request; those of cancelled requests are dropped. */
  deliver(event: GenerateEvent): void {
    const entry = this.#sent.get(event.id);
    const isLast = event.kind === 'done' || event.kind === 'error';
    // It ended while the cancellation was on its way.
    if (entry === undefined) return isLast ? this.#settle(event.id) : undefined;
    entry.touched = true;
    if (isLast) this.#finish(event.id);
    entry.job.deliver(event.kind === 'error' ? this.#withRetryAfter(event) : event);
  }

  answer(id: number, tokens: readonly number[]): void {
    const entry = this.#sent.get(id);
    if (entry === undefined) return;
    this.#finish(id);
    entry.job.answer(tokens);
  }

  /** Hands each row of a batch to its request; those of cancelled requests are dropped. */
  deliverRows({ rows, values }: EncodedBatch): void {
    const width = values.length / rows.length;
    rows.forEach((row, at) => {
      const entry = this.#sent.get(row.id);
      (entry?.job ?? this.#leaving.get(row.id))?.onCharge?.(row.deviceMs);
      if (entry?.job.takeRow?.(row, values.subarray(at * width, (at + 1) * width)) === true) this.#finish(row.id);
    });
  }

  /** The outputs of an infer job, which ends with them; nobody may want them any longer. */
  deliverOutputs({ id, outputs, deviceMs }: InferredOutputs): void {
    const entry = this.#sent.get(id);
    (entry?.job ?? this.#leaving.get(id))?.onCharge?.(deviceMs);
    if (entry === undefined) return;
    this.#finish(id);
    entry.job.takeOutputs?.(outputs);
  }

  failWaiting(error: WireError): void {
    const entries = this.#waiting;
    this.#waiting = [];
    for (const { job } of entries) job.deliver(errorEvent(job, error));
  }

  /** The process is gone, and with it what was not charged yet: requests of which the client has seen nothing go back to the head of the queue, once; the others end. */
  processDied(error: WireError): void {
    const entries = [...this.#sent.values()];
    this.#sent.clear();
    const again = entries.filter((entry) => !entry.restarted && (!entry.touched || entry.job.mayRestart()));
    const lost = entries.filter((entry) => !again.includes(entry));
    const anew = again.map(({ job, addedMs }): Entry => ({ job, addedMs, admittedMs: null, touched: false, restarted: true }));
    this.#waiting = [...anew, ...this.#waiting];
    for (const id of this.#leaving.keys()) this.#settle(id);
    for (const { job } of lost) job.deliver(errorEvent(job, error));
  }

  #settle(id: number): void {
    const job = this.#leaving.get(id);
    this.#leaving.delete(id);
    job?.onSettled?.();
  }

  #finish(id: number): void {
    this.#sent.delete(id);
    this.#lastUsedMs = this.#now();
    this.#finishedAtMs = [...this.#finishedAtMs.slice(1 - RATE_WINDOW), this.#lastUsedMs];
  }

  #withRetryAfter(event: Extract<GenerateEvent, { kind: 'error' }>): GenerateEvent {
    if (event.error.code !== 'queue_full' || event.error.retryAfterSeconds !== null) return event;
    return { ...event, error: { ...event.error, retryAfterSeconds: retryAfterSeconds(this.count, this.#finishedAtMs, this.#now()) } };
  }
}

function errorEvent(job: Job, error: WireError): Extract<GenerateEvent, { kind: 'error' }> {
  return { kind: 'error', id: job.id, error };
}

function queueFull(limit: number): WireError {
  return toWireError(new EngineError('queue_full', `${limit} requests wait for this model already, which is the most it takes.`));
}
