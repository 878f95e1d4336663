// Owns which rows of one batch are still to run: those to be read from the store, those at hand, those that run again.
// Knows nothing about when rows run.
import type { Batch } from './batch-control.ts';
import type { BatchEnd, WaitingRow } from './batch-store.ts';

export interface RowTurn {
  readonly row: WaitingRow;
  /** How often it has failed in a way that counts. */
  readonly tries: number;
}

interface Later extends RowTurn {
  readonly afterMs: number;
}

/** Rows that are read from the store together. */
const FETCHED = 256;

export class OpenBatch {
  readonly batch: Batch;
  /** How it ends before its rows do; null: it does not. */
  ending: Exclude<BatchEnd, 'completed'> | null = null;
  /** Rows that run, and results that are not written. */
  inFlight = 0;
  unwritten = 0;
  /** Monotonic, so that a clock that is set ends nobody's day. */
  readonly deadlineMs: number;
  #fetched: WaitingRow[] = [];
  #lastRank = -1;
  #isRead = false;
  #later: Later[] = [];

  constructor(batch: Batch, deadlineMs: number) {
    this.batch = batch;
    this.deadlineMs = deadlineMs;
  }

  /** Whether rows wait, as far as is known. */
  get isWaiting(): boolean {
    return this.ending === null && (!this.#isRead || this.#fetched.length > 0 || this.#later.length > 0);
  }

  /** Whether nothing is left to do but to end it. */
  get isOver(): boolean {
    return this.inFlight === 0 && this.unwritten === 0 && !this.isWaiting;
  }

  /** Model of the row whose turn it is, as far as is known. */
  get nextModel(): string | null {
    return (this.#later[0]?.row ?? this.#fetched[0])?.model ?? this.batch.model;
  }

  /** The row whose turn it is; null when none may run now. */
  async next(fetch: (rank: number, limit: number) => Promise<readonly WaitingRow[]>, nowMs: number): Promise<RowTurn | null> {
    if (this.ending !== null) return null;
    const at = this.#later.findIndex(({ afterMs }) => afterMs <= nowMs);
    const [due] = at === -1 ? [] : this.#later.splice(at, 1);
    if (due !== undefined) return due;
    if (this.#fetched.length === 0 && !this.#isRead) {
      const rows = await fetch(this.#lastRank, FETCHED);
      this.#fetched.push(...rows);
      this.#lastRank = rows.at(-1)?.rank ?? this.#lastRank;
      this.#isRead = rows.length < FETCHED;
    }
    const row = this.#fetched.shift();
    return row === undefined ? null : { row, tries: 0 };
  }

  /** In its old turn: rows that begin alike stay together. */
  again(turn: RowTurn, afterMs: number): void {
    const at = this.#later.findIndex(({ row }) => row.rank > turn.row.rank);
    this.#later.splice(at === -1 ? this.#later.length : at, 0, { ...turn, afterMs });
  }
}
