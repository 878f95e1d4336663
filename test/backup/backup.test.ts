// A backup and its way back, by the commands themselves, of a folder whose databases are in use.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { entryKind } from '../../engine/backup/contents.ts';
import { acquireLock, engineLockPath } from '../../engine/instance-lock.ts';
import { openDatabase, openReadOnly } from '../../engine/ledger/store/database.ts';

vi.setConfig({ testTimeout: 60_000 });
const run = promisify(execFile);
const CLI = join(import.meta.dirname, '..', '..', 'engine', 'cli.ts');

let root = '';
let dataDir = '';
let target = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-backup-'));
  dataDir = join(root, 'data');
  target = join(root, 'kept');
  await mkdir(join(dataDir, 'models', 'm'), { recursive: true });
  await mkdir(join(dataDir, 'files'));
  await writeFile(join(dataDir, 'models', 'm', 'weights'), 'large');
  await writeFile(join(dataDir, 'files', 'file-1'), '{"custom_id":"a"}\n');
  await writeFile(join(dataDir, 'settings.json'), '{"version":1}');
  await writeFile(join(dataDir, 'keys.json'), '{"keys":[]}');
});
afterEach(() => rm(root, { recursive: true }));

async function millrace(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run(process.execPath, [CLI, ...args, '--data-dir', dataDir], { encoding: 'utf8' })) };
  } catch (cause) {
    return cause as { code: number; stdout: string; stderr: string };
  }
}

function openHistory(path = join(dataDir, 'history.db')) {
  return openDatabase({ path, migrations: ['CREATE TABLE t (n INTEGER)'], synchronous: 'normal', nowMs: 0 }).db;
}

function numbersOf(path: string): readonly unknown[] {
  const db = openReadOnly(path);
  try {
    return db.prepare('SELECT n FROM t ORDER BY n').pluck().all();
  } finally {
    db.close();
  }
}

describe('millrace backup and restore', () => {
  it('brings back what was there, from databases in use, and keeps what the restore replaced', async () => {
    const db = openHistory();
    db.exec('INSERT INTO t VALUES (1), (2)');
    const made = await millrace('backup', target, '--json');
    expect([made.code, made.stderr]).toEqual([0, '']);
    expect(numbersOf(join(target, 'history.db'))).toEqual([1, 2]);
    expect((await stat(target)).mode & 0o077).toBe(0);
    expect((await readdir(target)).toSorted()).toEqual(['files', 'history.db', 'keys.json', 'millrace-backup.json', 'settings.json']);

    db.exec('INSERT INTO t VALUES (3)');
    db.close();
    await writeFile(join(dataDir, 'settings.json'), '{"version":2}');
    await writeFile(join(dataDir, 'drills.json'), '[]');
    const { code, stdout } = await millrace('restore', target, '--json');
    expect(code).toBe(0);
    expect(numbersOf(join(dataDir, 'history.db'))).toEqual([1, 2]);
    expect(await readFile(join(dataDir, 'settings.json'), 'utf8')).toBe('{"version":1}');
    expect(await readFile(join(dataDir, 'files', 'file-1'), 'utf8')).toBe('{"custom_id":"a"}\n');
    expect(await readFile(join(dataDir, 'models', 'm', 'weights'), 'utf8')).toBe('large');
    const { setAside } = JSON.parse(stdout) as { readonly setAside: string };
    expect(numbersOf(join(setAside, 'history.db'))).toEqual([1, 2, 3]);
    expect((await readdir(setAside)).toSorted()).toContain('drills.json');
    expect(await readdir(dataDir)).not.toContain('engine.lock');
  });

  it('does not restore under a running server', async () => {
    await millrace('backup', target);
    const lock = acquireLock(engineLockPath(dataDir));
    const { code, stderr } = await millrace('restore', target);
    lock.release();
    expect(code).toBe(3);
    expect(stderr).toContain('Stop it first');
    expect((await readdir(dataDir)).filter((name) => /restore/.test(name))).toEqual([]);
  });

  it('refuses a backup that is damaged, not whole, hostile or none, and leaves all as it was', async () => {
    await millrace('backup', target);
    const list = join(target, 'millrace-backup.json');
    const text = await readFile(list, 'utf8');
    const refusals: readonly [() => Promise<void>, RegExp][] = [
      [() => writeFile(join(target, 'keys.json'), '{"keys":[1]}'), /damaged: keys\.json/],
      [() => rm(join(target, 'keys.json')), /not whole: keys\.json/],
      [() => writeFile(list, text.replace('"settings.json"', '"../settings.json"')), /cannot be read/],
      [() => writeFile(list, '{'), /cannot be read/],
      [() => rm(list), /holds no backup/],
    ];
    for (const [spoil, reason] of refusals) {
      await spoil();
      const { code, stderr } = await millrace('restore', target);
      expect([code, reason.test(stderr)], stderr).toEqual([2, true]);
    }
    expect(await readFile(join(dataDir, 'keys.json'), 'utf8')).toBe('{"keys":[]}');
  });

  it('does not write over a folder, and leaves nothing of a backup that fails', async () => {
    await mkdir(target);
    expect((await millrace('backup', target)).code).toBe(2);
    await writeFile(join(dataDir, 'history.db'), 'no database at all, but long enough to be read as one'.repeat(40));
    expect((await millrace('backup', join(root, 'other'))).code).toBe(1);
    expect((await readdir(root)).toSorted()).toEqual(['data', 'kept']);
  });
});

it('takes neither weights, caches, locks, logs of databases nor drafts', () => {
  const names = [
    'models',
    'cache.db',
    'engine.lock',
    'engine.lock.5',
    'history.db-wal',
    'batches.db-shm',
    'history.db.damaged-2026',
    'jobs.json',
  ];
  expect(names.map((name) => entryKind(name, name === 'models'))).toEqual(names.map(() => null));
  fc.assert(fc.property(fc.uuid(), (id) => entryKind(`settings.json.${id}`, false) === null));
  expect(['settings.json', 'batches.db', 'audit.log'].map((name) => entryKind(name, false))).toEqual(['file', 'database', 'file']);
});
