// Owns the tables of the cache's file: entries come in, leave, and are read back at the next start. For the cache's worker thread alone.
import { rmSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { openDatabase, type Database } from '../../ledger/store/database.ts';
import type { CacheEntry, EntryKind } from './entry-cache.ts';

const MIGRATIONS = [
  `CREATE TABLE entries (
     key TEXT PRIMARY KEY,
     identity TEXT NOT NULL,
     kind TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     checksum INTEGER NOT NULL,
     value BLOB NOT NULL
   );
   CREATE INDEX entries_by_age ON entries (created_ms);`,
];
const UPSERT = `INSERT INTO entries (key, identity, kind, created_ms, checksum, value) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET identity = excluded.identity, kind = excluded.kind, created_ms = excluded.created_ms,
    checksum = excluded.checksum, value = excluded.value`;
/** Entries handed on at once: some tenths of a millisecond of the receiver's time. */
const PORTION = 128;

interface StoredEntry {
  readonly key: string;
  readonly identity: string;
  readonly kind: EntryKind;
  readonly createdMs: number;
  readonly checksum: number;
  readonly value: Buffer;
}

export interface LoadLimits {
  readonly maxBytes: number;
  /** Milliseconds since 1970: what was made then or before is dropped. */
  readonly createdAfterMs: number;
}

export class CacheFile {
  readonly #db: Database;
  /** Whether a damaged file had to be thrown away. */
  readonly wasDamaged: boolean;

  /** @throws SQLite's own error when the file cannot be opened or made */
  constructor(path: string, nowMs: number) {
    const { db, setAside } = openDatabase({ path, migrations: MIGRATIONS, synchronous: 'normal', nowMs });
    this.#db = db;
    this.wasDamaged = setAside !== null;
    // What is in it can be computed again: nothing is worth recovering.
    if (setAside !== null) for (const suffix of ['', '-wal', '-shm']) rmSync(setAside + suffix, { force: true });
  }

  /** Hands on what is young enough and fits, the newest at the end, and drops the rest. Returns how many were damaged. */
  load({ maxBytes, createdAfterMs }: LoadLimits, take: (entries: readonly CacheEntry[]) => void): number {
    this.#db.prepare('DELETE FROM entries WHERE created_ms <= ?').run(Math.max(createdAfterMs, this.#newestWithoutRoom(maxBytes)));
    const rows = this.#db.prepare('SELECT key, identity, kind, created_ms AS createdMs, checksum, value FROM entries ORDER BY created_ms');
    const damaged: string[] = [];
    let portion: CacheEntry[] = [];
    for (const row of rows.iterate() as IterableIterator<StoredEntry>) {
      const { checksum, ...entry } = row;
      if (crc32(entry.value) !== checksum) damaged.push(entry.key);
      else if (portion.push(entry) === PORTION) take(portion.splice(0));
    }
    if (portion.length > 0) take(portion);
    portion = [];
    this.write([], damaged);
    return damaged.length;
  }

  /** All of it, or nothing. @throws SQLite's own error */
  write(puts: readonly CacheEntry[], removed: readonly string[]): void {
    const upsert = this.#db.prepare(UPSERT);
    const remove = this.#db.prepare('DELETE FROM entries WHERE key = ?');
    const all = this.#db.transaction(() => {
      for (const key of removed) remove.run(key);
      for (const { key, identity, kind, createdMs, value } of puts) {
        upsert.run(key, identity, kind, createdMs, crc32(value), value);
      }
    });
    all.immediate();
    if (removed.length > 0) this.#db.pragma('incremental_vacuum');
  }

  close(): void {
    this.#db.close();
  }

  #newestWithoutRoom(maxBytes: number): number {
    let bytes = 0;
    const sizes = this.#db.prepare('SELECT created_ms AS createdMs, length(value) AS size FROM entries ORDER BY created_ms DESC');
    for (const { createdMs, size } of sizes.iterate() as IterableIterator<{ readonly createdMs: number; readonly size: number }>) {
      bytes += size;
      if (bytes > maxBytes) return createdMs;
    }
    return -1;
  }
}
