// Owns when one source is read, what it said last and for how long that holds. No timer of its own: it is poked once a second.
import type { Log } from '../../log.ts';
import type { DeviceSource } from './facts.ts';

/** Ticks come a little early or late: due this long before the period is over. */
const JITTER_MS = 250;
const MAX_BACKOFF_MS = 300_000;
/** A tool that was not there may have been installed. */
const ABSENT_MS = 600_000;
const LEAST_STALE_MS = 5_000;

/** The time to the next read after so many failures in a row: the period, doubled with each. */
export function nextReadMs(periodMs: number, failures: number): number {
  return Math.min(periodMs * 2 ** failures, Math.max(periodMs, MAX_BACKOFF_MS));
}

export class Poll<T> {
  readonly #source: DeviceSource<T>;
  readonly #log: Log;
  #value: T | null = null;
  #valueMs = Number.NEGATIVE_INFINITY;
  #dueMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #pending: { readonly done: Promise<void>; readonly sinceMs: number; readonly abort: AbortController } | null = null;

  constructor(source: DeviceSource<T>, log: Log) {
    this.#source = source;
    this.#log = log;
  }

  /** Reads when it is time; `nowMs` is monotonic. A read that was given up is waited for: two never run at once, however long one hangs. */
  poke(nowMs: number): void {
    if (this.#pending !== null) return this.#watch(this.#pending, nowMs);
    if (nowMs < this.#dueMs - JITTER_MS) return;
    const abort = new AbortController();
    const done = this.#read(nowMs, abort.signal);
    this.#pending = { done, sinceMs: nowMs, abort };
    void done.finally(() => {
      this.#pending = null;
    });
  }

  /** Read each second. */
  get quick(): boolean {
    return this.#source.periodMs <= 1_000;
  }

  /** Resolves when no read is under way that still has its time. */
  async settled(): Promise<void> {
    if (this.#pending?.abort.signal.aborted === false) await this.#pending.done;
  }

  /** Null when nothing is known, or only something old: three periods, and 5 seconds at least. */
  latest(nowMs: number): T | null {
    return nowMs - this.#valueMs <= Math.max(LEAST_STALE_MS, 3 * this.#source.periodMs) ? this.#value : null;
  }

  close(): void {
    this.#pending?.abort.abort();
    this.#source.close?.();
  }

  #watch(pending: { readonly sinceMs: number; readonly abort: AbortController }, nowMs: number): void {
    if (nowMs - pending.sinceMs > this.#source.timeoutMs && !pending.abort.signal.aborted) {
      pending.abort.abort(new Error(`no answer within ${this.#source.timeoutMs} ms`));
    }
  }

  async #read(startMs: number, signal: AbortSignal): Promise<void> {
    try {
      const value = await this.#source.read(signal);
      signal.throwIfAborted();
      this.#succeed(value, startMs);
    } catch (error) {
      this.#fail(signal.aborted ? signal.reason : error, startMs);
    }
  }

  #succeed(value: T | null, startMs: number): void {
    this.#value = value;
    this.#valueMs = startMs;
    this.#failures = 0;
    this.#dueMs = startMs + (value === null ? ABSENT_MS : this.#source.periodMs);
  }

  /** Said once for a row of failures. */
  #fail(error: unknown, startMs: number): void {
    this.#failures += 1;
    this.#dueMs = startMs + nextReadMs(this.#source.periodMs, this.#failures);
    const level = this.#failures === 1 ? 'info' : 'debug';
    this.#log[level]({ err: error, source: this.#source.name }, 'a device reading failed');
  }
}
