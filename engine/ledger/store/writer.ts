// Owns the one connection that writes: a batch becomes one transaction, old rows go in small slices.
// Runs in its own thread; has no clock: whoever asks says what time it is.
import { type Database, openDatabase, setAsideDatabase } from './database.ts';
import { faultOf } from './fault.ts';
import { mergeEncoded } from './histogram.ts';
import type { WriteAnswer, WriteBatch, WriteQuestion } from './messages.ts';
import { endMsOf, endOfId, firstIdAt, REQUEST_COLUMNS, toCells } from './request-row.ts';
import { deleteExpired } from './retention.ts';
import { Rollup } from './rollup.ts';
import { MIGRATIONS, STATS, type StatsShape, type StatsTable } from './schema.ts';
import { WordWriter } from './words.ts';

export class Writer {
  readonly #path: string;
  readonly #openDatabase: typeof openDatabase;
  #open: OpenFile | null = null;

  /** `open` is for tests that need the connection itself. */
  constructor(path: string, open = openDatabase) {
    this.#path = path;
    this.#openDatabase = open;
  }

  /** Never throws: what went wrong is in the answer. */
  answer(question: WriteQuestion): WriteAnswer {
    try {
      return this.#do(question);
    } catch (error) {
      return { kind: 'fault', fault: faultOf(error, this.#path) };
    }
  }

  #do(question: WriteQuestion): WriteAnswer {
    switch (question.kind) {
      case 'open':
        return done(this.#ensureOpen(question.nowMs));
      case 'write':
        this.#file().write(question.batch);
        return done(null);
      case 'maintain':
        return done(null, deleteExpired(this.#file().db, question.nowMs, question.retention));
      case 'replace':
        return done(this.#replace(question.nowMs));
      case 'close':
        this.#close();
        return done(null);
    }
  }

  #ensureOpen(nowMs: number): string | null {
    if (this.#open !== null) return null;
    const { db, setAside } = this.#openDatabase({ path: this.#path, migrations: MIGRATIONS, synchronous: 'normal', nowMs });
    this.#open = new OpenFile(db);
    return setAside;
  }

  #replace(nowMs: number): string | null {
    this.#close();
    const aside = setAsideDatabase(this.#path, nowMs);
    this.#ensureOpen(nowMs);
    return aside;
  }

  #close(): void {
    this.#open?.db.close();
    this.#open = null;
  }

  #file(): OpenFile {
    if (this.#open === null) throw new Error('The history file is not open.');
    return this.#open;
  }
}

const done = (setAside: string | null, more = false): WriteAnswer => ({ kind: 'done', setAside, more });

class OpenFile {
  readonly db: Database;
  readonly #words: WordWriter;
  readonly #insertRequest;
  readonly #lastTaken;
  readonly #upserts;
  readonly #upsertAlert;
  readonly #setLastBatch;
  readonly #lastBatch;

  constructor(db: Database) {
    this.db = db;
    db.function('merge_histogram', { deterministic: true }, (a: Uint8Array | null, b: Uint8Array | null) => mergeEncoded(a, b));
    this.#words = new WordWriter(db);
    const columns = REQUEST_COLUMNS.join(', ');
    const values = REQUEST_COLUMNS.map((name) => `@${name}`).join(', ');
    this.#insertRequest = db.prepare(`INSERT INTO requests (id, ${columns}) VALUES (@id, ${values})`);
    this.#lastTaken = db.prepare<[number, number], number | null>('SELECT max(id) FROM requests WHERE id BETWEEN ? AND ?').pluck();
    this.#upserts = new Map((Object.keys(STATS) as StatsTable[]).map((table) => [table, db.prepare(upsertSql(table))]));
    this.#upsertAlert = db.prepare<[string, number, string]>(
      'INSERT INTO alerts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET since_ms = excluded.since_ms, document = excluded.document',
    );
    this.#setLastBatch = db.prepare<[string]>("INSERT OR REPLACE INTO meta VALUES ('last_batch', ?)");
    this.#lastBatch = db.prepare<[], string>("SELECT value FROM meta WHERE name = 'last_batch'").pluck();
  }

  write(batch: WriteBatch): void {
    if (this.#lastBatch.get() === batch.id) return;
    try {
      this.db.transaction(() => this.#apply(batch)).immediate();
    } catch (error) {
      this.#words.reload(this.db);
      throw error;
    }
  }

  #apply({ id, requests, samples, alerts }: WriteBatch): void {
    const rollup = new Rollup();
    for (const record of requests) {
      const cells = toCells(record, this.#words);
      const rowId = this.#freeId(endMsOf(record.atMs, cells.total_us));
      const { model_asked, route_reason } = cells;
      this.#insertRequest.run({ ...cells, id: rowId, model_asked: stored(model_asked), route_reason: stored(route_reason) });
      rollup.addRequest(record, cells, endOfId(rowId));
    }
    for (const sample of samples) rollup.addSample(sample, (word) => this.#words.idOf(word));
    for (const tally of rollup.tallies) for (const row of tally.rows()) this.#upserts.get(tally.table)?.run(...row);
    for (const event of alerts) this.#upsertAlert.run(event.id, event.sinceMs, JSON.stringify(event));
    this.#setLastBatch.run(id);
  }

  /** When the ids of a ms are used up, the next ms counts as the end. */
  #freeId(endMs: number): number {
    const first = firstIdAt(endMs);
    const last = firstIdAt(endMs + 1) - 1;
    const id = (this.#lastTaken.get(first, last) ?? first - 1) + 1;
    return id <= last ? id : this.#freeId(endMs + 1);
  }
}

/** SQLite takes every JavaScript number for a real one; in a column for both words and texts only a whole one is short. */
const stored = (cell: number | string): bigint | string => (typeof cell === 'number' ? BigInt(cell) : cell);

/** Adds a row to the one of the same keys. */
function upsertSql(table: StatsTable): string {
  const { keys, sums, histograms }: StatsShape = STATS[table];
  const columns = [...keys, ...sums, ...histograms];
  const changes = [
    ...sums.map((name) => `${name} = ${name} + excluded.${name}`),
    ...histograms.map((name) => `${name} = merge_histogram(${name}, excluded.${name})`),
  ];
  const places = columns.map(() => '?').join(', ');
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places}) ON CONFLICT DO UPDATE SET ${changes.join(', ')}`;
}
