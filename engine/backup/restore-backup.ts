// Owns how a backup becomes the state of a data folder. What was there is moved aside, not removed: a restore can be undone.
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { acquireLock, engineLockPath } from '../instance-lock.ts';
import { entryKind } from './contents.ts';
import { readManifest, type BackupManifest } from './manifest.ts';

export interface Restored {
  readonly manifest: BackupManifest;
  /** Where the state of before is now; null when there was none. */
  readonly setAside: string | null;
}

/** Weights, which a backup does not hold, stay where they are.
 *  @throws LockHeldError while an engine uses the folder; EngineError `invalid_request` for what is no sound backup */
export async function restoreBackup(dataDir: string, source: string, nowMs: number): Promise<Restored> {
  const manifest = await readManifest(source);
  const lock = acquireLock(engineLockPath(dataDir));
  const draft = join(dataDir, `.restore-${randomUUID()}`);
  try {
    // All of it is on this disk before anything is moved.
    for (const { path } of manifest.files) await copyInto(join(source, path), join(draft, path));
    const setAside = await moveAside(dataDir, nowMs);
    for (const name of await readdir(draft)) await rename(join(draft, name), join(dataDir, name));
    return { manifest, setAside };
  } finally {
    await rm(draft, { recursive: true, force: true });
    lock.release();
  }
}

async function copyInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await cp(from, to);
}

async function moveAside(dataDir: string, nowMs: number): Promise<string | null> {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  const aside = join(dataDir, `before-restore-${stamp}`);
  const names = (await readdir(dataDir, { withFileTypes: true }))
    .filter((entry) => isState(entry.name, entry.isDirectory()))
    .map(({ name }) => name);
  if (names.length === 0) return null;
  await mkdir(aside, { mode: 0o700 });
  for (const name of names) await rename(join(dataDir, name), join(aside, name));
  return aside;
}

/** A database goes with its log: left behind, that would be played into the database that comes. */
function isState(name: string, isFolder: boolean): boolean {
  return entryKind(name.replace(/-(wal|shm|journal)$/, ''), isFolder) !== null;
}
