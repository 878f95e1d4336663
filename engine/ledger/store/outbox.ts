// Owns the records that are not written yet: bounded, sent in batches, sent again with growing pauses while writing fails.
// Knows nothing about threads or SQLite: `write` is given.
import type { AlertEvent } from '../../contract.ts';
import type { RequestRecord, Sample } from '../ledger.ts';
import type { Fault } from './fault.ts';
import type { WriteAnswer, WriteBatch } from './messages.ts';

export interface OutboxOptions {
  /** Never rejects. */
  readonly write: (batch: WriteBatch) => Promise<WriteAnswer>;
  /** After each batch; `lost` counts records given up since writing last worked. */
  readonly onOutcome: (fault: Fault | null, lost: number) => void;
  /** Unique over all starts of the program. */
  readonly name: string;
  readonly limits?: OutboxLimits;
}

export interface OutboxLimits {
  /** Most records held; past it the oldest go. */
  readonly requests: number;
  readonly samples: number;
  readonly alerts: number;
  /** Requests in one batch: what a transaction and a message take at once. */
  readonly batch: number;
}

const DEFAULT_LIMITS: OutboxLimits = { requests: 100_000, samples: 7_200, alerts: 10_000, batch: 500 };
/** From a record to its transaction. Samples come every second: with this pause they go with what came meanwhile. */
const REQUEST_WAIT_MS = 500;
const SAMPLE_WAIT_MS = 900;
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #limits: OutboxLimits;
  #requests: RequestRecord[] = [];
  #samples: Sample[] = [];
  #alerts: AlertEvent[] = [];
  #batch: WriteBatch | null = null;
  #batches = 0;
  #failures = 0;
  #lost = 0;
  #timer: { readonly handle: NodeJS.Timeout; readonly dueMs: number } | null = null;
  #sending: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
  }

  addRequest(request: RequestRecord): void {
    this.#requests.push(request);
    this.#trim(this.#requests, this.#limits.requests);
    this.#schedule(REQUEST_WAIT_MS);
  }

  addSample(sample: Sample): void {
    this.#samples.push(sample);
    this.#trim(this.#samples, this.#limits.samples);
    this.#schedule(SAMPLE_WAIT_MS);
  }

  addAlert(event: AlertEvent): void {
    this.#alerts.push(event);
    this.#trim(this.#alerts, this.#limits.alerts);
    this.#schedule(REQUEST_WAIT_MS);
  }

  get heldCount(): number {
    return this.#requests.length + this.#samples.length + this.#alerts.length + (this.#batch === null ? 0 : sizeOf(this.#batch));
  }

  /** Sends until nothing is held or writing fails. */
  async flush(): Promise<void> {
    await this.#sending;
    do {
      await this.#send();
    } while (this.heldCount > 0 && this.#failures === 0);
  }

  /** No timer runs and nothing is taken any more. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    this.#timer = null;
  }

  #trim(held: unknown[], limit: number): void {
    if (held.length <= limit) return;
    this.#lost += held.length - limit;
    held.splice(0, held.length - limit);
  }

  /** An earlier due time replaces a later one, but never the pause after a failure. */
  #schedule(waitMs: number): void {
    if (this.#isClosed || this.#sending !== null || (this.#timer !== null && this.#failures > 0)) return;
    const dueMs = performance.now() + waitMs;
    if (this.#timer !== null && this.#timer.dueMs <= dueMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    const handle = setTimeout(() => {
      this.#timer = null;
      void this.#send();
    }, waitMs);
    handle.unref();
    this.#timer = { handle, dueMs };
  }

  #send(): Promise<void> {
    this.#sending ??= this.#sendBatch().finally(() => {
      this.#sending = null;
      if (this.heldCount > 0) this.#schedule(this.#nextWaitMs());
    });
    return this.#sending;
  }

  async #sendBatch(): Promise<void> {
    this.#batch ??= this.#takeBatch();
    if (this.#batch === null) return;
    const answer = await this.#options.write(this.#batch);
    if (answer.kind === 'done') {
      this.#batch = null;
      this.#failures = 0;
      this.#lost = 0;
    } else {
      this.#failures++;
      this.#giveUpUnless(answer.fault.canRetry);
    }
    this.#options.onOutcome(answer.kind === 'done' ? null : answer.fault, this.#lost);
  }

  /** What can never be written must not keep the rest from it. */
  #giveUpUnless(canRetry: boolean): void {
    if (canRetry || this.#batch === null) return;
    this.#lost += sizeOf(this.#batch);
    this.#batch = null;
  }

  #takeBatch(): WriteBatch | null {
    if (this.heldCount === 0) return null;
    const { batch } = this.#limits;
    const id = `${this.#options.name}:${++this.#batches}`;
    const [requests, samples, alerts] = [this.#requests.splice(0, batch), this.#samples.splice(0, batch), this.#alerts.splice(0, batch)];
    return { id, requests, samples, alerts };
  }

  #nextWaitMs(): number {
    if (this.#failures > 0) return Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    return this.#requests.length >= this.#limits.batch ? 0 : REQUEST_WAIT_MS;
  }
}

const sizeOf = ({ requests, samples, alerts }: WriteBatch): number => requests.length + samples.length + alerts.length;
