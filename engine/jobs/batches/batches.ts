// Owns files and batches as their owners see them: receives, validates, runs and ends them, over restarts too.
// Knows nothing about HTTP; SQLite and the reading of input files are threads of their own.
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { toWireError, EngineError } from '../../errors.ts';
import type { BatchesAnswer, BatchSettings } from '../../contract.ts';
import { Thread } from '../../ledger/store/thread.ts';
import type { Log } from '../../log.ts';
import type {
  Batch,
  BatchCharges,
  BatchControl,
  BatchFile,
  BatchWish,
  Owner,
  Page,
  PageAsk,
  ReceivedFile,
  RowServer,
} from './batch-control.ts';
import type { WaitingRow } from './batch-store.ts';
import { viewOf } from './batch-view.ts';
import { FileFolder } from './file-folder.ts';
import type { InputQuestion } from './input-worker.ts';
import { decidePermission, type Surroundings } from './permission.ts';
import type { ReadInput } from './read-input.ts';
import { batchOfRequest, RowDesk } from './row-desk.ts';
import { StoreThread } from './store-thread.ts';
import { windowMs } from './window.ts';

export interface BatchesOptions {
  readonly dataDir: string;
  readonly log: Log;
  readonly server: RowServer;
  readonly settings: () => BatchSettings;
  readonly surroundings: () => Surroundings;
  /** Milliseconds since 1970, and monotonic ones. */
  readonly now?: () => number;
  readonly clock?: () => number;
  /** How often the clock is looked at. */
  readonly tickMs?: number;
}

const DAY_MS = 86_400_000;
/** As OpenAI keeps files of batches. */
const LIFE_MS = 30 * DAY_MS;
const SWEEP_MS = 3_600_000;
const TICK_MS = 5_000;
/** A clock that is off by more has been set, or the machine slept. */
const JUMP_MS = 60_000;
const RETRY_MS = 5_000;
const SHOWN: PageAsk = { limit: 100, after: null, order: 'desc' };

export class Batches implements BatchControl {
  readonly #options: Required<BatchesOptions>;
  readonly #store: StoreThread;
  readonly #input = new Thread<InputQuestion>(new URL('input-worker.ts', import.meta.url), null);
  readonly #folder: FileFolder;
  readonly #desk: RowDesk;
  readonly #timers = new Set<NodeJS.Timeout>();
  #clockOffsetMs: number;
  #isClosed = false;

  constructor(options: BatchesOptions) {
    const { dataDir, log, server, settings, surroundings, now = Date.now, clock = () => performance.now(), tickMs = TICK_MS } = options;
    this.#options = { ...options, now, clock, tickMs };
    this.#store = new StoreThread(join(dataDir, 'batches.db'));
    this.#folder = new FileFolder(join(dataDir, 'files'));
    this.#clockOffsetMs = now() - clock();
    this.#desk = new RowDesk({
      server,
      log,
      now,
      clock,
      permission: () => decidePermission(settings(), surroundings()),
      maxRows: () => settings().maxRows,
      waitingRows: (batch, rank, limit) => this.#store.ask('waitingRows', batch, rank, limit),
      readLine: (batch, row) => this.#readLine(batch, row),
      write: (results, charges) => this.#store.ask('commit', results, charges),
      finish: (id, end) => this.#finish(id, end),
    });
  }

  /** Goes on with what the last run left. @throws EngineError `batches_unavailable` */
  async open(): Promise<void> {
    const [batches, uploads] = await Promise.all([this.#store.ask('openBatches'), this.#store.ask('uploads')]);
    await this.#folder.sweep(uploads);
    for (const batch of batches) this.#resume(batch);
    this.#every(this.#options.tickMs, () => this.#followClock());
    this.#every(SWEEP_MS, () => this.#deleteExpired());
    await this.#deleteExpired();
  }

  /** Stops rows that run, which run again after the next start; writes those that have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#desk.close();
    await this.#input.end();
    await this.#store.close();
  }

  receive(source: AsyncIterable<Uint8Array>): Promise<ReceivedFile> {
    return this.#folder.receive(source);
  }

  discard(received: ReceivedFile): Promise<void> {
    return this.#folder.discard(received);
  }

  async keep(
    received: ReceivedFile,
    { filename, lifeMs }: { readonly filename: string; readonly lifeMs: number | null },
    { tenant }: Owner,
  ): Promise<BatchFile> {
    const createdMs = this.#options.now();
    const head = { id: newId('file-'), tenant, filename, purpose: 'batch', bytes: received.bytes, createdMs } as const;
    const file: BatchFile = { ...head, expiresMs: createdMs + (lifeMs ?? LIFE_MS), results: null };
    try {
      await this.#folder.adopt(received, file.id);
      await this.#store.ask('addFile', file);
    } catch (cause) {
      await Promise.all([this.#folder.discard(received), this.#folder.remove(file.id)]);
      throw cause;
    }
    return file;
  }

  files(page: PageAsk & { readonly purpose: string | null }, owner: Owner): Promise<Page<BatchFile>> {
    return this.#store.ask('files', { ...page, tenant: tenantOf(owner) });
  }

  async file(id: string, owner: Owner): Promise<BatchFile> {
    const file = await this.#store.ask('file', id);
    if (file !== null && isOf(file, owner)) return file;
    throw new EngineError('file_not_found', `There is no file ${JSON.stringify(id)}.`, { param: 'file_id' });
  }

  async *content({ id, results }: BatchFile): AsyncIterable<Uint8Array> {
    if (results === null) return yield* this.#folder.read(id);
    let page = await this.#store.ask('results', results.batch, results.kind, 0);
    while (page !== null) {
      yield Buffer.from(page.text);
      page = await this.#store.ask('results', results.batch, results.kind, page.lastLine);
    }
  }

  async deleteFile(id: string, owner: Owner): Promise<void> {
    await this.file(id, owner);
    if (await this.#delete(id)) return;
    throw new EngineError('invalid_request', 'A batch still reads this file: wait for its end, or cancel it.', { param: 'file_id' });
  }

  async create({ endpoint, inputFileId, window, metadata, outputLifeMs }: BatchWish, owner: Owner): Promise<Batch> {
    const endpoints = this.#options.server.endpoints();
    if (!endpoints.includes(endpoint))
      throw new EngineError('invalid_request', `endpoint must be one of ${endpoints.join(', ')}.`, { param: 'endpoint' });
    const file = await this.file(inputFileId, owner);
    if (file.purpose !== 'batch')
      throw new EngineError('invalid_request', 'The input file must have been uploaded with the purpose batch.', {
        param: 'input_file_id',
      });
    const createdMs = this.#options.now();
    const { tenant, keyId } = owner;
    const batch = await this.#store.ask('addBatch', {
      id: newId('batch_'),
      tenant,
      keyId,
      endpoint,
      inputFileId,
      filename: file.filename,
      window,
      metadata,
      outputLifeMs: outputLifeMs ?? LIFE_MS,
      createdMs,
      expiresMs: createdMs + windowMs(window),
    });
    void this.#validate(batch);
    return batch;
  }

  batches(page: PageAsk, owner: Owner): Promise<Page<Batch>> {
    return this.#store.ask('batches', { ...page, tenant: tenantOf(owner) });
  }

  async batch(id: string, owner: Owner): Promise<Batch> {
    const batch = await this.#store.ask('batch', id);
    if (batch !== null && isOf(batch, owner)) return batch;
    throw new EngineError('batch_not_found', `There is no batch ${JSON.stringify(id)}.`, { param: 'batch_id' });
  }

  async cancel(id: string, owner: Owner): Promise<Batch> {
    const { status } = await this.batch(id, owner);
    if (status !== 'validating' && status !== 'in_progress' && status !== 'cancelling')
      throw new EngineError('invalid_request', `This batch is ${status}; it cannot be cancelled.`, { param: 'batch_id' });
    const batch = await this.#store.ask('cancel', id, this.#options.now());
    // One that is being validated ends when that is done.
    this.#desk.end(id, 'cancelled');
    return batch;
  }

  async view(owner: Owner): Promise<BatchesAnswer> {
    const { entries } = await this.batches(SHOWN, owner);
    return { activity: this.#desk.activity, batches: entries.map((batch) => viewOf(batch, this.#desk.rateOf(batch.id))) };
  }

  /** What a request has cost, if it was a row. */
  charged(requestId: string, charges: BatchCharges): void {
    const batch = batchOfRequest(requestId);
    if (batch !== null && !this.#isClosed) this.#desk.charged(batch, charges);
  }

  #resume(batch: Batch): void {
    if (batch.status === 'validating') void this.#validate(batch);
    else this.#desk.add(batch, batch.status === 'cancelling' ? 'cancelled' : null);
  }

  /** Never rejects: while its file or the store cannot be read it is tried again. */
  async #validate(batch: Batch): Promise<void> {
    const { log } = this.#options;
    try {
      const next = await this.#validated(batch);
      if (next.status === 'failed') log.info({ batch: next.id, faults: next.faults.length }, 'a batch has a faulty input file');
      else this.#desk.add(next, next.status === 'cancelling' ? 'cancelled' : null);
    } catch (err) {
      if (this.#isClosed) return;
      log.error({ err, batch: batch.id }, 'a batch cannot be validated now; it is tried again');
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        void this.#validate(batch);
      }, RETRY_MS);
      this.#timers.add(timer);
    }
  }

  async #validated({ id, inputFileId, endpoint }: Batch): Promise<Batch> {
    const { now } = this.#options;
    if (!(await this.#folder.has(inputFileId))) {
      const fault = { code: 'input_file_missing', message: 'The input file is not there any more.', param: 'input_file_id', line: null };
      return this.#store.ask('fail', id, [fault], now());
    }
    const read = (await this.#input.ask({ path: this.#folder.pathOf(inputFileId), endpoint })) as ReadInput;
    if (read.kind === 'faulty') return this.#store.ask('fail', id, read.faults, now());
    return this.#store.ask('begin', id, read, now());
  }

  async #finish(id: string, end: 'completed' | 'expired' | 'cancelled'): Promise<void> {
    const batch = await this.#store.ask('finish', id, end, { output: newId('file-'), error: newId('file-') }, this.#options.now());
    this.#options.log.info({ batch: id, status: batch.status, completed: batch.completed, failed: batch.failed }, 'a batch has ended');
  }

  async #readLine({ inputFileId }: Batch, { offset, length }: WaitingRow): Promise<Uint8Array> {
    await using file = await open(this.#folder.pathOf(inputFileId), 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  }

  /** False while a batch reads it. */
  async #delete(id: string): Promise<boolean> {
    if (!(await this.#store.ask('deleteFile', id))) return false;
    await this.#folder.remove(id);
    return true;
  }

  async #deleteExpired(): Promise<void> {
    for (const id of await this.#store.ask('expiredFiles', this.#options.now())) await this.#delete(id);
  }

  /** Deadlines move with a clock that is set: nobody's day ends because of that. */
  async #followClock(): Promise<void> {
    const { now, clock, log } = this.#options;
    const offsetMs = now() - clock();
    const byMs = offsetMs - this.#clockOffsetMs;
    this.#clockOffsetMs = offsetMs;
    if (Math.abs(byMs) < JUMP_MS) return;
    log.warn({ byMs }, 'the clock was set, or the machine slept; deadlines of batches move along');
    await this.#store.ask('shiftDeadlines', byMs);
  }

  #every(ms: number, work: () => Promise<void>): void {
    const timer = setInterval(() => {
      work().catch((err: unknown) => this.#options.log.warn({ err: toWireError(err) }, 'upkeep of batches failed; it is tried again'));
    }, ms).unref();
    this.#timers.add(timer);
  }
}

const newId = (prefix: string): string => `${prefix}${randomBytes(16).toString('hex')}`;
const tenantOf = ({ tenant, seesAll }: Owner): string | null => (seesAll ? null : tenant);
const isOf = (entry: { readonly tenant: string }, { tenant, seesAll }: Owner): boolean => seesAll || entry.tenant === tenant;
