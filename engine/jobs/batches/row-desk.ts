// Owns the rows that run: starts as many as the plan says, stops them when interactive work comes, and ends batches that are through.
// Knows nothing about HTTP, files or how results are kept.
import { bug } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { BatchActivity } from '../../contract.ts';
import type { Batch, BatchCharges, RowServer } from './batch-control.ts';
import type { BatchEnd, RowResult, BatchCharge, WaitingRow } from './batch-store.ts';
import { OpenBatch, type RowTurn } from './open-batch.ts';
import type { Permission } from './permission.ts';
import { planRows, QUIET_MS, type RowsPlan } from './plan-rows.ts';
import { RecentEnds } from './recent-ends.ts';
import { ResultWriter } from './result-writer.ts';
import { judgeAnswer, unrunLine } from './row-line.ts';

export interface RowDeskOptions {
  readonly server: RowServer;
  readonly log: Log;
  readonly permission: () => Permission;
  readonly maxRows: () => number | null;
  readonly waitingRows: (batch: string, rank: number, limit: number) => Promise<readonly WaitingRow[]>;
  /** A row's line of the input file. @throws when it cannot be read any more */
  readonly readLine: (batch: Batch, row: WaitingRow) => Promise<Uint8Array>;
  readonly write: (results: readonly RowResult[], charges: readonly BatchCharge[]) => Promise<void>;
  /** Ends a batch in the store. */
  readonly finish: (id: string, end: BatchEnd) => Promise<void>;
  /** Milliseconds since 1970, and monotonic ones. */
  readonly now: () => number;
  readonly clock: () => number;
}

interface Flight {
  readonly open: OpenBatch;
  readonly turn: RowTurn;
  readonly abort: AbortController;
}

/** Conditions are looked at so often while rows wait or run. */
const LOOK_MS = 1_000;
const RETRY_MS = 2_000;

export class RowDesk {
  readonly #options: RowDeskOptions;
  readonly #open = new Map<string, OpenBatch>();
  readonly #flights = new Set<Flight>();
  readonly #ends = new RecentEnds();
  readonly #writer: ResultWriter;
  readonly #stopListening: () => void;
  #quietSinceMs = -Infinity;
  #attempts = 0;
  #timer: NodeJS.Timeout | null = null;
  #pumping: Promise<void> | null = null;
  #isDue = false;
  #isClosed = false;

  constructor(options: RowDeskOptions) {
    this.#options = options;
    const { log, write } = options;
    this.#writer = new ResultWriter({ write, log, onWritten: (results) => this.#written(results) });
    this.#stopListening = options.server.onForeground(() => this.#foregroundChanged());
  }

  /** Runs its rows, after those of batches that came before. */
  add(batch: Batch, ending: OpenBatch['ending'] = null): void {
    const { now, clock } = this.#options;
    const open = new OpenBatch(batch, clock() + batch.expiresMs - now());
    open.ending = ending;
    this.#open.set(batch.id, open);
    this.#pump();
  }

  /** Ends a batch before its rows do. False when it has ended, or is not known. */
  end(id: string, how: Exclude<BatchEnd, 'completed'>): boolean {
    const open = this.#open.get(id);
    if (open === undefined) return false;
    open.ending ??= how;
    for (const flight of this.#flights) if (flight.open === open) flight.abort.abort(new Error(`The batch is ${how}.`));
    this.#pump();
    return true;
  }

  /** What a request of a row has cost. */
  charged(batch: string, charges: BatchCharges): void {
    this.#writer.charge(batch, charges);
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  get activity(): BatchActivity {
    const plan = this.#plan();
    const kind = plan.kind === 'run' ? 'running' : plan.kind === 'idle' ? 'idle' : 'waiting';
    return { kind, reason: plan.reason, rows: this.#flights.size };
  }

  /** Rows a second of a batch, lately; null while none ends. */
  rateOf(id: string): number | null {
    return this.#ends.rate(id, this.#options.clock());
  }

  /** Stops what runs and writes what has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#preempt('The server is shutting down.');
    await this.#pumping;
    await this.#writer.flush();
  }

  #foregroundChanged(): void {
    if (this.#options.server.foreground > 0) this.#preempt('An interactive request goes first.');
    else this.#quietSinceMs = this.#options.clock();
    if (!this.isIdle) this.#pump();
  }

  #preempt(reason: string): void {
    for (const { abort } of this.#flights) abort.abort(new Error(reason));
  }

  /** Never two at once; what changes meanwhile is looked at afterwards. */
  #pump(): void {
    this.#isDue = true;
    this.#pumping ??= this.#pumpAll();
  }

  async #pumpAll(): Promise<void> {
    while (this.#isDue && !this.#isClosed) {
      this.#isDue = false;
      try {
        await this.#step();
      } catch (err) {
        this.#options.log.error({ err }, 'batches stand still for a moment');
        this.#lookAgain(RETRY_MS);
      }
    }
    // In the same turn as the last look at what is due.
    this.#pumping = null;
  }

  async #step(): Promise<void> {
    this.#expire();
    await this.#endThoseThatAreOver();
    const plan = this.#plan();
    if (plan.kind === 'idle') return;
    this.#lookAgain(plan.kind === 'wait' ? Math.min(LOOK_MS, QUIET_MS) : LOOK_MS);
    if (plan.kind === 'wait') return plan.isPreempted ? this.#preempt(plan.reason) : undefined;
    await this.#startRows(plan.rows);
    await this.#endThoseThatAreOver();
  }

  async #startRows(most: number): Promise<void> {
    while (this.#flights.size < most && !this.#isClosed) {
      const next = await this.#next();
      if (next === null) return;
      // It may have come while the row was read.
      if (this.#options.server.foreground > 0) return next.open.again(next.turn, 0);
      void this.#run(next.open, next.turn);
    }
  }

  async #next(): Promise<{ readonly open: OpenBatch; readonly turn: RowTurn } | null> {
    const { waitingRows, clock } = this.#options;
    for (const open of this.#open.values()) {
      const turn = await open.next((rank, limit) => waitingRows(open.batch.id, rank, limit), clock());
      if (turn !== null) return { open, turn };
    }
    return null;
  }

  /** Never rejects. */
  async #run(open: OpenBatch, turn: RowTurn): Promise<void> {
    const flight: Flight = { open, turn, abort: new AbortController() };
    this.#flights.add(flight);
    open.inFlight++;
    try {
      await this.#answer(flight);
    } catch (err) {
      const { aborted } = flight.abort.signal;
      if (!aborted) this.#options.log.warn({ err, batch: open.batch.id, line: turn.row.line }, 'a row runs again');
      open.again(turn, aborted ? 0 : this.#options.clock() + RETRY_MS);
    } finally {
      this.#flights.delete(flight);
      open.inFlight--;
      this.#pump();
    }
  }

  async #answer({ open, turn, abort }: Flight): Promise<void> {
    const { batch } = open;
    const { row, tries } = turn;
    const name = { batch: batch.id, line: row.line, customId: row.customId };
    const body = await this.#bodyOf(batch, row);
    if (body === null) return this.#keep(open, { ...name, kind: 'error', text: unrunLine(name, 'lost') });
    abort.signal.throwIfAborted();
    const requestId = rowRequestId(batch.id, row.line, ++this.#attempts);
    const { tenant, keyId, endpoint } = batch;
    const answer = await this.#options.server.run({ requestId, tenant, keyId, endpoint, body }, abort.signal);
    const verdict = judgeAnswer(name, answer, requestId, tries + 1);
    if (verdict.kind !== 'again') return this.#keep(open, { ...name, ...verdict });
    open.again({ row, tries: verdict.counts ? tries + 1 : tries }, this.#options.clock() + verdict.afterMs);
  }

  /** Null when its line is not what it was. */
  async #bodyOf(batch: Batch, row: WaitingRow): Promise<Uint8Array | null> {
    try {
      const line = JSON.parse(Buffer.from(await this.#options.readLine(batch, row)).toString()) as { custom_id: unknown; body: unknown };
      return line.custom_id === row.customId ? Buffer.from(JSON.stringify(line.body)) : null;
    } catch (err) {
      this.#options.log.error({ err, batch: batch.id, line: row.line }, 'a line of a batch cannot be read any more');
      return null;
    }
  }

  #keep(open: OpenBatch, { batch, line, kind, text }: RowResult): void {
    open.unwritten++;
    this.#writer.add({ batch, line, kind, text });
  }

  #written(results: readonly RowResult[]): void {
    for (const { batch } of results) {
      const open = this.#open.get(batch) ?? bug(`A result of ${batch}, which has ended, was written.`);
      open.unwritten--;
      this.#ends.add(batch, this.#options.clock());
    }
    this.#pump();
  }

  #expire(): void {
    const nowMs = this.#options.clock();
    for (const { batch, deadlineMs, ending } of this.#open.values())
      if (ending === null && deadlineMs <= nowMs) this.end(batch.id, 'expired');
  }

  async #endThoseThatAreOver(): Promise<void> {
    for (const [id, open] of this.#open) {
      if (!open.isOver) continue;
      await this.#options.finish(id, open.ending ?? 'completed');
      this.#open.delete(id);
      this.#ends.forget(id);
    }
  }

  #plan(): RowsPlan {
    const { server, permission, maxRows, clock } = this.#options;
    const waiting = [...this.#open.values()].filter(({ isWaiting }) => isWaiting);
    const model = waiting[0]?.nextModel ?? null;
    return planRows({
      foreground: server.foreground,
      quietMs: clock() - this.#quietSinceMs,
      permission: permission(),
      storageFault: this.#writer.fault,
      pending: waiting.length,
      inFlight: this.#flights.size,
      slots: model === null ? null : server.slotsOf(model),
      maxRows: maxRows(),
    });
  }

  #lookAgain(afterMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), afterMs);
  }
}

function rowRequestId(batch: string, line: number, attempt: number): string {
  return `${batch}-${line}-${attempt}`;
}

/** The batch to which a request belongs; null for other requests. */
export function batchOfRequest(requestId: string): string | null {
  return /^(batch_[0-9a-f]+)-\d+-\d+$/.exec(requestId)?.[1] ?? null;
}
