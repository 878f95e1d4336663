import { closeSync, existsSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../engine/ledger/store/database.ts';
import { faultOf } from '../../../engine/ledger/store/fault.ts';
import { aFolder } from './files.ts';
import { SOME_MS } from './records.ts';

const FIRST = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)';
const SECOND = 'ALTER TABLE notes ADD COLUMN length INTEGER';

const open = (path: string, migrations: readonly string[] = [FIRST]) =>
  openDatabase({ path, migrations, synchronous: 'normal', nowMs: SOME_MS });

const countNotes = (db: Database): unknown => db.prepare('SELECT count(*) FROM notes').pluck().get();

function fill(db: Database): void {
  const insert = db.prepare('INSERT INTO notes (text) VALUES (?)');
  db.transaction(() => {
    for (let row = 0; row < 2_000; row++) insert.run(`${row} `.repeat(20));
  })();
}

/** Writes over the second half of the file with bytes that are no page. */
function damage(path: string): void {
  const { size } = statSync(path);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(size / 2, 0xa5), 0, size / 2, size / 2);
  closeSync(file);
}

describe('openDatabase', () => {
  it('creates the folder and the file, in WAL', () => {
    using folder = aFolder();
    const { db, setAside } = open(join(folder.path, 'new', 'file.db'));
    expect(setAside).toBeNull();
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    db.close();
  });

  it('brings an older file up to date and keeps its rows', () => {
    using folder = aFolder();
    const path = join(folder.path, 'file.db');
    const older = open(path).db;
    fill(older);
    older.close();
    const { db } = open(path, [FIRST, SECOND]);
    expect(countNotes(db)).toBe(2_000);
    expect(db.prepare('SELECT length FROM notes LIMIT 1').pluck().get()).toBeNull();
    expect(db.pragma('user_version', { simple: true })).toBe(2);
    db.close();
  });

  it('leaves the file at its version when a migration fails', () => {
    using folder = aFolder();
    const path = join(folder.path, 'file.db');
    open(path).db.close();
    expect(() => open(path, [FIRST, `${SECOND}; INSERT INTO nowhere VALUES (1)`])).toThrow(/nowhere/);
    const { db } = open(path, [FIRST, SECOND]);
    expect(db.pragma('user_version', { simple: true })).toBe(2);
    db.close();
  });

  it('refuses a file of a later version, and leaves it as it is', () => {
    using folder = aFolder();
    const path = join(folder.path, 'file.db');
    open(path, [FIRST, SECOND]).db.close();
    expect(() => open(path, [FIRST])).toThrow(expect.objectContaining({ code: 'NEWER', message: expect.stringContaining('version 2') }));
    open(path, [FIRST, SECOND]).db.close();
    expect(readdirSync(folder.path)).toEqual(['file.db']);
  });

  it.each([
    ['pages of other bytes', damage],
    ['a file that is no database', (path: string) => writeFileSync(path, 'not a database, but long enough to look at it '.repeat(50))],
  ])('sets %s aside and begins a new file', (_name, spoil) => {
    using folder = aFolder();
    const path = join(folder.path, 'file.db');
    const before = open(path).db;
    fill(before);
    before.close();
    spoil(path);
    const { db, setAside } = open(path);
    expect(setAside).toBe(`${path}.damaged-20260304T050607Z`);
    expect(existsSync(setAside ?? '')).toBe(true);
    expect(countNotes(db)).toBe(0);
    db.close();
  });

  it('sets a second damaged file aside beside the first', () => {
    using folder = aFolder();
    const path = join(folder.path, 'file.db');
    for (let time = 0; time < 2; time++) {
      writeFileSync(path, 'x'.repeat(5_000));
      open(path).db.close();
    }
    expect(readdirSync(folder.path).filter((name) => name.includes('damaged'))).toHaveLength(2);
  });

  it('throws what the system says when there is no file to be had', () => {
    using folder = aFolder();
    writeFileSync(join(folder.path, 'file'), '');
    expect(() => open(join(folder.path, 'file', 'file.db'))).toThrow();
    expect(() => open(folder.path)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^SQLITE_CANTOPEN/) }));
  });
});

describe('faultOf', () => {
  const coded = (code: string) => Object.assign(new Error('said the system'), { code });

  it.each([
    ['SQLITE_FULL', 'disk_full', true],
    ['SQLITE_IOERR_WRITE', 'disk_full', true],
    ['ENOSPC', 'disk_full', true],
    ['SQLITE_BUSY', 'locked', true],
    ['SQLITE_BUSY_SNAPSHOT', 'locked', true],
    ['SQLITE_CORRUPT_VTAB', 'damaged', true],
    ['SQLITE_NOTADB', 'damaged', true],
    ['NEWER', 'failed', true],
    ['SQLITE_READONLY', 'failed', true],
    ['SQLITE_CONSTRAINT_NOTNULL', 'failed', false],
    ['EACCES', 'failed', true],
  ] as const)('takes %s for %s', (code, kind, canRetry) => {
    const fault = faultOf(coded(code), '/data/history.db');
    expect(fault).toMatchObject({ kind, canRetry });
    expect(fault.detail).toContain('said the system');
    expect(fault.detail).toContain('/data/history.db');
  });

  it('retries nothing that is no fault of the file', () => {
    expect(faultOf(new TypeError('x is not a function'), 'f')).toMatchObject({ kind: 'failed', canRetry: false });
  });
});
