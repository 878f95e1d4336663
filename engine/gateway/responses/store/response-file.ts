// Owns the table of stored responses: each with what was asked, what came of it, and which one it continues. For its worker thread alone.
import { openDatabase, type Database } from '../../../ledger/store/database.ts';
import type { InputItem } from '../items.ts';

const MIGRATIONS = [
  `CREATE TABLE responses (
     id TEXT PRIMARY KEY,
     tenant TEXT NOT NULL,
     previous TEXT,
     created_ms INTEGER NOT NULL,
     is_open INTEGER NOT NULL,
     input TEXT NOT NULL,
     response TEXT NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX responses_by_age ON responses (created_ms);
   CREATE INDEX responses_open ON responses (is_open) WHERE is_open = 1;`,
];
const UPSERT = `INSERT INTO responses (id, tenant, previous, created_ms, is_open, input, response) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET is_open = excluded.is_open, response = excluded.response`;
const FIND = 'SELECT previous, input, response FROM responses WHERE id = ? AND tenant = ? AND created_ms > ?';
/** Saves between two looks for what is too old or too much. */
const TIDY_EVERY = 128;

export interface Keeping {
  readonly keepMs: number;
  /** Characters of JSON; past them the oldest leave. */
  readonly maxBytes: number;
}

export interface StoredResponse {
  readonly id: string;
  readonly tenant: string;
  readonly previousId: string | null;
  readonly createdMs: number;
  /** Its answer is still being made. */
  readonly isOpen: boolean;
  readonly input: readonly InputItem[];
  /** The response as the API shows it. */
  readonly response: object;
}

interface Row {
  readonly previous: string | null;
  readonly input: string;
  readonly response: string;
}

export interface Found {
  readonly input: readonly InputItem[];
  readonly response: Readonly<Record<string, unknown>>;
}

export class ResponseFile {
  readonly #db: Database;
  readonly #keeping: Keeping;
  #saves = 0;

  /** Answers that an earlier run did not finish have failed. @throws SQLite's own error when the file cannot be opened or made */
  constructor(path: string, keeping: Keeping, nowMs: number) {
    this.#db = openDatabase({ path, migrations: MIGRATIONS, synchronous: 'normal', nowMs }).db;
    this.#keeping = keeping;
    this.#failOpen();
    this.#tidy(nowMs);
  }

  save(stored: StoredResponse, nowMs: number): void {
    const { id, tenant, previousId, createdMs, isOpen, input, response } = stored;
    this.#db.prepare(UPSERT).run(id, tenant, previousId, createdMs, Number(isOpen), JSON.stringify(input), JSON.stringify(response));
    if (++this.#saves % TIDY_EVERY === 0) this.#tidy(nowMs);
  }

  /** Null when there is none, or it is another tenant's. */
  find(tenant: string, id: string, nowMs: number): Found | null {
    const row = this.#row(tenant, id, nowMs);
    if (row === undefined) return null;
    return { input: JSON.parse(row.input) as readonly InputItem[], response: JSON.parse(row.response) as Record<string, unknown> };
  }

  /** Of this response and those it continues, the oldest first: what was asked and answered. Null when one is missing;
   *  the newest `most` items where there are more. */
  history(tenant: string, id: string, most: number, nowMs: number): readonly unknown[] | null {
    const turns: unknown[][] = [];
    let count = 0;
    for (let next: string | null = id; next !== null && count < most;) {
      const row = this.#row(tenant, next, nowMs);
      if (row === undefined) return null;
      const { output } = JSON.parse(row.response) as { readonly output: readonly unknown[] };
      const turn = [...(JSON.parse(row.input) as unknown[]), ...output];
      turns.push(turn);
      count += turn.length;
      next = row.previous;
    }
    return turns.reverse().flat();
  }

  /** False when there was none. */
  remove(tenant: string, id: string, nowMs: number): boolean {
    const sql = 'DELETE FROM responses WHERE id = ? AND tenant = ? AND created_ms > ?';
    return this.#db.prepare(sql).run(id, tenant, nowMs - this.#keeping.keepMs).changes > 0;
  }

  close(): void {
    this.#db.close();
  }

  #row(tenant: string, id: string, nowMs: number): Row | undefined {
    return this.#db.prepare(FIND).get(id, tenant, nowMs - this.#keeping.keepMs) as Row | undefined;
  }

  #failOpen(): void {
    const open = this.#db.prepare('SELECT id, response FROM responses WHERE is_open = 1').all() as { id: string; response: string }[];
    const close = this.#db.prepare('UPDATE responses SET is_open = 0, response = ? WHERE id = ?');
    const error = { code: 'server_error', message: 'The server ended before this answer was made.' };
    for (const { id, response } of open) {
      close.run(JSON.stringify({ ...(JSON.parse(response) as object), status: 'failed', error }), id);
    }
  }

  #tidy(nowMs: number): void {
    const { keepMs, maxBytes } = this.#keeping;
    const tooOldMs = Math.max(nowMs - keepMs, this.#newestWithoutRoom(maxBytes));
    const { changes } = this.#db.prepare('DELETE FROM responses WHERE created_ms <= ? AND is_open = 0').run(tooOldMs);
    if (changes > 0) this.#db.pragma('incremental_vacuum');
  }

  #newestWithoutRoom(maxBytes: number): number {
    let bytes = 0;
    const sql = 'SELECT created_ms AS createdMs, length(input) + length(response) AS size FROM responses ORDER BY created_ms DESC';
    for (const { createdMs, size } of this.#db.prepare(sql).iterate() as IterableIterator<{ createdMs: number; size: number }>) {
      bytes += size;
      if (bytes > maxBytes) return createdMs;
    }
    return -1;
  }
}
