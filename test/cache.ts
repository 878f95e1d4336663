// Owns the folder in which tests keep what is costly to make: the Python venv, the converted model, the built peer.
// A folder of it is made once, also when several test processes ask for it at the same moment.
import { mkdir, open, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { testCacheDir } from './models.ts';

const COMPLETE = '.complete';

/**
 * The path of folder `name` of the test cache. `make` fills it when it is missing or was left unfinished; while one process
 * fills it, others wait. What `make` throws is thrown, and the next caller tries anew.
 */
export async function cachedFolder(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(testCacheDir(), name);
  if (await exists(join(folder, COMPLETE))) return folder;
  await mkdir(testCacheDir(), { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (await exists(join(folder, COMPLETE))) return folder;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await make(folder);
    await writeFile(join(folder, COMPLETE), '');
    return folder;
  } finally {
    await unlock();
  }
}

/** The path of folder `name` of the test cache where it has been filled already; null otherwise. */
export async function findCachedFolder(name: string): Promise<string | null> {
  const folder = join(testCacheDir(), name);
  return (await exists(join(folder, COMPLETE))) ? folder : null;
}

/** Waits for the lock file; a lock whose process has ended is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    const handle = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      return null;
    });
    if (handle !== null) {
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => unlink(path);
    }
    if (await isStale(path)) await rm(path, { force: true });
    else await delay(200);
  }
}

/** True when the process that wrote the lock has ended. A lock without its id is only stale once it is seconds old. */
async function isStale(path: string): Promise<boolean> {
  const pid = Number(await readFile(path, 'utf8').catch(() => ''));
  if (pid === 0) return Date.now() - ((await stat(path).catch(() => null))?.mtimeMs ?? Date.now()) > 5000;
  return !isAlive(pid);
}

/** Whether a process of this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
