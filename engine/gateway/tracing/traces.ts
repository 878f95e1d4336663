// Owns the traces of the requests under way, and hands the record of each that ends to whoever keeps records.
// Knows nothing about HTTP, the ledger or the page.
import type { LiveRequest } from '../../contract.ts';
import type { RequestRecord } from '../../ledger/ledger.ts';
import type { Accounting } from './accounting.ts';
import { RequestTrace, type TraceEnd } from './request-trace.ts';

/** The host settles cancelled work within a second or so; a record waits no longer than this for it. */
const SETTLE_MS = 5_000;
/** What the page's queue shows. */
const LISTED = 100;

export interface TracesOptions {
  readonly accounting: Accounting;
  /** Gets each record once; that of a request that was cut short comes when its device time is known. */
  readonly onRecord: (record: RequestRecord) => void;
  /** Wall time, ms since 1970. */
  readonly now: () => number;
  /** Monotonic, in ms with fractions. */
  readonly clock: () => number;
}

interface Settling {
  readonly end: TraceEnd;
  readonly timer: NodeJS.Timeout;
}

export class Traces {
  readonly #options: TracesOptions;
  readonly #live = new Set<RequestTrace>();
  readonly #settling = new Map<RequestTrace, Settling>();

  constructor(options: TracesOptions) {
    this.#options = options;
  }

  /** Monotonic time in ms, as traces measure it. */
  clock(): number {
    return this.#options.clock();
  }

  begin(id: string, endpoint: string): RequestTrace {
    const { accounting, now, clock } = this.#options;
    const trace = new RequestTrace({ id, endpoint, atMs: now(), arrivedMs: clock() }, accounting);
    this.#live.add(trace);
    return trace;
  }

  /** The request is over. Safe to call twice. */
  end(trace: RequestTrace, how: Omit<TraceEnd, 'endedMs'>): void {
    if (!this.#live.delete(trace)) return;
    const timer = setTimeout(() => this.#close(trace), SETTLE_MS).unref();
    this.#settling.set(trace, { end: { ...how, endedMs: this.clock() }, timer });
    trace.cost.whenSettled(() => this.#close(trace));
  }

  /** All requests under way: those that wait for a slot or for their model, and the others. */
  count(): { readonly running: number; readonly waiting: number } {
    const waiting = this.#live.values().reduce((sum, trace) => sum + (trace.isWaiting ? 1 : 0), 0);
    return { running: this.#live.size - waiting, waiting };
  }

  /** Requests under way, oldest first; at most 100 of them. */
  list(): readonly LiveRequest[] {
    const nowMs = this.clock();
    const listed = this.#live.values().take(LISTED);
    return listed.map((trace) => trace.live(nowMs)).toArray();
  }

  /** Makes the records that are still waited for. */
  flush(): void {
    for (const trace of this.#settling.keys()) this.#close(trace);
  }

  #close(trace: RequestTrace): void {
    const settling = this.#settling.get(trace);
    if (settling === undefined) return;
    clearTimeout(settling.timer);
    this.#settling.delete(trace);
    this.#options.onRecord(trace.close(settling.end));
  }
}
