// Owns the turns of processes that change one small file: whoever made the lock file, which holds its process id, has the turn.
// Knows nothing about the file. A turn takes milliseconds.
import { open, readFile, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Older than that a lock was left behind, also when its process id belongs to another process by now. */
const STALE_MS = 10_000;
/** Between making the file and writing the id to it. */
const UNSIGNED_MS = 1000;
const RETRY_MS = 20;

/** Waits for the turn; the result ends it. */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  for (;;) {
    const handle = await open(path, 'wx').catch((cause: unknown) => {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return null;
      throw cause;
    });
    if (handle !== null) {
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(path, { force: true });
    }
    if (await isLeftBehind(path)) await rm(path, { force: true });
    else await delay(RETRY_MS);
  }
}

async function isLeftBehind(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => null);
  if (facts === null) return false;
  const ageMs = Date.now() - facts.mtimeMs;
  const pid = Number(await readFile(path, 'utf8').catch(() => ''));
  if (ageMs > STALE_MS) return true;
  return pid > 0 ? !exists(pid) : ageMs > UNSIGNED_MS;
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
  }
}
