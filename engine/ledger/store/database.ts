// Owns how a database file is opened: WAL, migrations in order, an integrity check, and what becomes of a damaged file.
// Knows nothing about what the tables mean. SQLite is synchronous: for worker threads alone.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { DatabaseError, isDamage } from './fault.ts';

export type Database = SqliteDatabase.Database;

export interface DatabaseOptions {
  readonly path: string;
  /** SQL for each version, from 1 on. Never changed once released: a new version is a new entry. */
  readonly migrations: readonly string[];
  /** `full`: a commit has reached the disk; `normal`: power loss may take the last commits, never the file. */
  readonly synchronous: 'full' | 'normal';
  /** For the name of a file that is set aside. */
  readonly nowMs: number;
}

export interface OpenedDatabase {
  readonly db: Database;
  /** Where a damaged file was moved; null when there was none. */
  readonly setAside: string | null;
}

/** How long a statement waits for another program's lock; only the thread that asked waits. */
const BUSY_MS = 2_000;
const READ_CACHE_KIB = 32 * 2 ** 10;
/** The write-ahead log shrinks to this after a checkpoint. */
const WAL_BYTES = 16 * 2 ** 20;

/** Opens or creates the file; a damaged one is moved to `<path>.damaged-<time>` and a new one begun.
 *  @throws DatabaseError `NEWER` when a later version has written it; SQLite's own error for anything else */
export function openDatabase(options: DatabaseOptions): OpenedDatabase {
  mkdirSync(dirname(options.path), { recursive: true });
  try {
    return { db: openSound(options), setAside: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const setAside = setAsideDatabase(options.path, options.nowMs);
    return { db: openSound(options), setAside };
  }
}

/** Opens an existing file for reading alone. */
export function openReadOnly(path: string): Database {
  const db = new SqliteDatabase(path, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
  // Pages in memory, not the file mapped into it: a mapped page that the disk cannot give ends the process with a signal.
  db.pragma(`cache_size = ${-READ_CACHE_KIB}`);
  return db;
}

/** Moves the file with its log to `<path>.damaged-<time>`, so that `sqlite3 .recover` can still read it, and returns that path. */
export function setAsideDatabase(path: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  let aside = `${path}.damaged-${stamp}`;
  for (let n = 2; existsSync(aside); n++) aside = `${path}.damaged-${stamp}-${n}`;
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  return aside;
}

function openSound(options: DatabaseOptions): Database {
  const db = new SqliteDatabase(options.path, { timeout: BUSY_MS });
  try {
    prepare(db, options);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function prepare(db: Database, { path, migrations, synchronous }: DatabaseOptions): void {
  // Only a file without tables takes this; deleted rows then give their pages back to the file system.
  db.pragma('auto_vacuum = incremental');
  db.pragma('journal_mode = wal');
  db.pragma(`synchronous = ${synchronous}`);
  db.pragma(`journal_size_limit = ${WAL_BYTES}`);
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > migrations.length) {
    const message = `${path} has version ${version} of its tables, this program knows ${migrations.length} at most.`;
    throw new DatabaseError('NEWER', message);
  }
  checkIntegrity(db, path);
  migrate(db, migrations, version);
}

function checkIntegrity(db: Database, path: string): void {
  const finding = db.pragma('quick_check(1)', { simple: true }) as string;
  if (finding !== 'ok') throw new DatabaseError('DAMAGED', `${path}: ${finding}`);
}

function migrate(db: Database, migrations: readonly string[], from: number): void {
  migrations.slice(from).forEach((sql, at) => {
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${from + at + 1}`);
    }).immediate();
  });
}
