// Owns the tables of files, batches and rows: what is acknowledged has reached the disk, and every row gets its result exactly once.
// SQLite is synchronous: for a worker thread alone. Knows nothing about models or HTTP.
import type { BatchFault } from '../../contract.ts';
import type { Database } from '../../ledger/store/database.ts';
import type { Batch, BatchCharges, BatchFile, Page, PageAsk, ResultKind } from './batch-control.ts';
import { batchOf, fileOf } from './batch-schema.ts';
import type { PlacedRow } from './read-input.ts';
import { errorFileName, outputFileName, unrunLine, type UnrunReason } from './row-line.ts';

export interface WaitingRow extends PlacedRow {
  readonly rank: number;
}

/** Of one row that has its answer. */
export interface RowResult {
  readonly batch: string;
  readonly line: number;
  readonly kind: ResultKind;
  /** A line of the file of results, without its line feed. */
  readonly text: string;
}

export interface BatchCharge extends BatchCharges {
  readonly batch: string;
}

export interface ResultPage {
  /** Lines with their line feeds. */
  readonly text: string;
  readonly lastLine: number;
}

/** Of a new batch. */
export type NewBatch = Omit<
  Batch,
  'charges' | 'completed' | 'failed' | 'total' | 'model' | 'faults' | 'outputFileId' | 'errorFileId' | 'status' | keyof Times
> &
  Pick<Batch, 'createdMs' | 'expiresMs'>;
type Times = Pick<
  Batch,
  'createdMs' | 'inProgressMs' | 'expiresMs' | 'finalizingMs' | 'completedMs' | 'failedMs' | 'expiredMs' | 'cancellingMs' | 'cancelledMs'
>;

/** Ways in which a batch that has run, if only in part, ends. */
export type BatchEnd = 'completed' | 'expired' | 'cancelled';

const STATE = { output: 1, error: 2 } as const;
/** Characters of a page of results. */
const PAGE_CHARS = 2 ** 20;
const UNRUN: Readonly<Record<BatchEnd, UnrunReason>> = { completed: 'lost', expired: 'expired', cancelled: 'cancelled' };
const OPEN = `('validating', 'in_progress', 'finalizing', 'cancelling')`;

export class BatchStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  addFile(file: BatchFile): void {
    this.#db
      .prepare(
        `INSERT INTO files (id, tenant, filename, purpose, bytes, createdMs, expiresMs, batch, kind)
         VALUES (@id, @tenant, @filename, @purpose, @bytes, @createdMs, @expiresMs, @batch, @kind)`,
      )
      .run({ ...file, results: null, batch: file.results?.batch ?? null, kind: file.results?.kind ?? null });
  }

  file(id: string): BatchFile | null {
    const row = this.#db.prepare('SELECT * FROM files WHERE id = ?').get(id);
    return row === undefined ? null : fileOf(row);
  }

  /** `tenant`, `purpose`: null for all. */
  files({ tenant, purpose, ...page }: PageAsk & { readonly tenant: string | null; readonly purpose: string | null }): Page<BatchFile> {
    return this.#page('files', page, { tenant, purpose }, fileOf);
  }

  /** Ids of uploaded files, whose bytes lie in the folder. */
  uploads(): readonly string[] {
    return this.#db.prepare(`SELECT id FROM files WHERE batch IS NULL`).pluck().all() as string[];
  }

  /** False while an open batch reads it. Rows of a file of results go with it. */
  deleteFile(id: string): boolean {
    return this.#atomically(() => {
      if (this.#db.prepare(`SELECT 1 FROM batches WHERE inputFileId = ? AND status IN ${OPEN}`).get(id) !== undefined) return false;
      const results = this.file(id)?.results ?? null;
      if (results !== null) this.#db.prepare('DELETE FROM rows WHERE batch = ? AND state = ?').run(results.batch, STATE[results.kind]);
      this.#db.prepare('DELETE FROM files WHERE id = ?').run(id);
      return true;
    });
  }

  /** Ids of files whose time is over. */
  expiredFiles(nowMs: number): readonly string[] {
    return this.#db.prepare('SELECT id FROM files WHERE expiresMs <= ?').pluck().all(nowMs) as string[];
  }

  addBatch(batch: NewBatch): Batch {
    const metadata = batch.metadata === null ? null : JSON.stringify(batch.metadata);
    this.#db
      .prepare(
        `INSERT INTO batches (id, tenant, keyId, endpoint, inputFileId, filename, window, metadata, status, outputLifeMs, createdMs, expiresMs)
         VALUES (@id, @tenant, @keyId, @endpoint, @inputFileId, @filename, @window, @metadata, 'validating', @outputLifeMs, @createdMs, @expiresMs)`,
      )
      .run({ ...batch, metadata });
    return this.#batch(batch.id);
  }

  batch(id: string): Batch | null {
    const row = this.#db.prepare('SELECT * FROM batches WHERE id = ?').get(id);
    return row === undefined ? null : batchOf(row);
  }

  batches({ tenant, ...page }: PageAsk & { readonly tenant: string | null }): Page<Batch> {
    return this.#page('batches', page, { tenant }, batchOf);
  }

  /** Oldest first. */
  openBatches(): readonly Batch[] {
    return this.#db.prepare(`SELECT * FROM batches WHERE status IN ${OPEN} ORDER BY seq`).all().map(batchOf);
  }

  /** Its rows, in the order in which they run; a batch that is not being validated any more stays as it is. */
  begin(id: string, found: { readonly rows: readonly PlacedRow[]; readonly model: string | null }, nowMs: number): Batch {
    return this.#atomically(() => {
      const changed = this.#db
        .prepare(`UPDATE batches SET status = 'in_progress', inProgressMs = ?, total = ?, model = ? WHERE id = ? AND status = 'validating'`)
        .run(nowMs, found.rows.length, found.model, id).changes;
      const insert = this.#db.prepare(
        `INSERT INTO rows (batch, rank, line, customId, model, offset, length) VALUES (@batch, @rank, @line, @customId, @model, @offset, @length)`,
      );
      if (changed > 0) found.rows.forEach((row, rank) => insert.run({ ...row, batch: id, rank }));
      return this.#batch(id);
    });
  }

  fail(id: string, faults: readonly BatchFault[], nowMs: number): Batch {
    this.#db
      .prepare(`UPDATE batches SET status = 'failed', failedMs = ?, faults = ? WHERE id = ? AND status = 'validating'`)
      .run(nowMs, JSON.stringify(faults), id);
    return this.#batch(id);
  }

  /** Rows without a result whose turn is after `rank`, in their order. */
  waitingRows(batch: string, rank: number, limit: number): readonly WaitingRow[] {
    return this.#db
      .prepare(
        'SELECT rank, line, customId, model, offset, length FROM rows WHERE batch = ? AND rank > ? AND state = 0 ORDER BY rank LIMIT ?',
      )
      .all(batch, rank, limit) as WaitingRow[];
  }

  /** Writes results and costs together. A row that has its result keeps it. */
  commit(results: readonly RowResult[], charges: readonly BatchCharge[]): void {
    this.#atomically(() => {
      for (const result of results) this.#settle(result);
      for (const charge of charges) this.#charge(charge);
    });
  }

  cancel(id: string, nowMs: number): Batch {
    this.#db
      .prepare(`UPDATE batches SET status = 'cancelling', cancellingMs = ? WHERE id = ? AND status IN ('validating', 'in_progress')`)
      .run(nowMs, id);
    return this.#batch(id);
  }

  /** Gives every row that has none a result that says why, and makes the files. Does nothing to a batch that has ended. */
  finish(id: string, end: BatchEnd, files: { readonly output: string; readonly error: string }, nowMs: number): Batch {
    return this.#atomically(() => {
      const batch = this.#batch(id);
      if (!['validating', 'in_progress', 'finalizing', 'cancelling'].includes(batch.status)) return batch;
      this.#settleUnrun(id, UNRUN[end]);
      const outputFileId = this.#addResults(batch, 'output', files.output, nowMs);
      const errorFileId = this.#addResults(batch, 'error', files.error, nowMs);
      this.#db
        .prepare(
          `UPDATE batches SET status = @end, finalizingMs = @nowMs, ${end}Ms = @nowMs, outputFileId = @outputFileId, errorFileId = @errorFileId
           WHERE id = @id`,
        )
        .run({ id, end, nowMs, outputFileId, errorFileId });
      return this.#batch(id);
    });
  }

  /** A page of a batch's results, in the order of their lines; null at the end. */
  results(batch: string, kind: ResultKind, afterLine: number): ResultPage | null {
    const rows = this.#db.prepare('SELECT line, result FROM rows WHERE batch = ? AND state = ? AND line > ? ORDER BY line');
    const parts: string[] = [];
    let [chars, lastLine] = [0, afterLine];
    for (const row of rows.iterate(batch, STATE[kind], afterLine)) {
      const { line, result } = row as { readonly line: number; readonly result: string };
      parts.push(`${result}\n`);
      lastLine = line;
      chars += result.length;
      if (chars > PAGE_CHARS) break;
    }
    return parts.length === 0 ? null : { text: parts.join(''), lastLine };
  }

  /** The clock was set: what was to end in an hour still does. */
  shiftDeadlines(byMs: number): void {
    this.#db.prepare(`UPDATE batches SET expiresMs = expiresMs + ? WHERE status IN ${OPEN}`).run(Math.round(byMs));
  }

  #settle({ batch, line, kind, text }: RowResult): void {
    const column = kind === 'output' ? 'completed' : 'failed';
    const { changes } = this.#db
      .prepare('UPDATE rows SET state = ?, result = ? WHERE batch = ? AND state = 0 AND line = ?')
      .run(STATE[kind], text, batch, line);
    if (changes > 0) this.#db.prepare(`UPDATE batches SET ${column} = ${column} + 1 WHERE id = ?`).run(batch);
  }

  #settleUnrun(batch: string, reason: UnrunReason): void {
    const waiting = this.#db.prepare('SELECT line, customId FROM rows WHERE batch = ? AND state = 0').all(batch);
    for (const row of waiting) {
      const { line, customId } = row as { readonly line: number; readonly customId: string };
      this.#settle({ batch, line, kind: 'error', text: unrunLine({ batch, line, customId }, reason) });
    }
  }

  #charge({ batch, ...charge }: BatchCharge): void {
    this.#db
      .prepare(
        `UPDATE batches SET energyUsd = energyUsd + @energyUsd, hardwareUsd = hardwareUsd + @hardwareUsd,
           upstreamUsd = upstreamUsd + @upstreamUsd, deviceMs = deviceMs + @deviceMs, promptTokens = promptTokens + @promptTokens,
           cachedTokens = cachedTokens + @cachedTokens, completionTokens = completionTokens + @completionTokens,
           premiumUsd = CASE WHEN @premiumUsd IS NULL THEN premiumUsd ELSE coalesce(premiumUsd, 0) + @premiumUsd END
         WHERE id = @batch`,
      )
      .run({ batch, ...charge });
  }

  /** The file's id; null when no row is of this kind. */
  #addResults({ id, tenant, filename, outputLifeMs }: Batch, kind: ResultKind, fileId: string, nowMs: number): string | null {
    const bytes = this.#db
      .prepare('SELECT sum(octet_length(result) + 1) FROM rows WHERE batch = ? AND state = ?')
      .pluck()
      .get(id, STATE[kind]) as number | null;
    if (bytes === null) return null;
    const name = kind === 'output' ? outputFileName(filename) : errorFileName(filename);
    const expiresMs = outputLifeMs === null ? null : nowMs + outputLifeMs;
    const head = { id: fileId, tenant, filename: name, purpose: 'batch_output', bytes, createdMs: nowMs, expiresMs } as const;
    this.addFile({ ...head, results: { batch: id, kind } });
    return fileId;
  }

  #batch(id: string): Batch {
    return batchOf(this.#db.prepare('SELECT * FROM batches WHERE id = ?').get(id));
  }

  #page<T>(
    table: 'files' | 'batches',
    { limit, after, order }: PageAsk,
    equal: Readonly<Record<string, string | null>>,
    read: (row: unknown) => T,
  ): Page<T> {
    const wanted = Object.entries(equal).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
    const start = after === null ? undefined : this.#db.prepare(`SELECT seq FROM ${table} WHERE id = ?`).pluck().get(after);
    const conditions = [
      ...wanted.map(([name]) => `${name} = ?`),
      ...(start === undefined ? [] : [order === 'asc' ? 'seq > ?' : 'seq < ?']),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const values = [...wanted.map(([, value]) => value), ...(start === undefined ? [] : [start]), limit + 1];
    const rows = this.#db
      .prepare(`SELECT * FROM ${table} ${where} ORDER BY seq ${order === 'asc' ? 'ASC' : 'DESC'} LIMIT ?`)
      .all(...values);
    return { entries: rows.slice(0, limit).map(read), hasMore: rows.length > limit };
  }

  #atomically<T>(work: () => T): T {
    return this.#db.transaction(work).immediate();
  }
}
