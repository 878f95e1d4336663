// Owns the rule that one data folder has one engine: a lock file that names its process and the address it answers on.
// A lock left by a process that has ended is taken over, also when its process id has been given to another one.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface LockOwner {
  readonly pid: number;
  /** When the process started, as its system tells it; null where that is not known. */
  readonly startedAt: string | null;
  /** Base address of the API; null before it listens. */
  readonly address: string | null;
}

export interface InstanceLock {
  /** Writes where this instance answers, for commands that want to use it. */
  announce(address: string): void;
  release(): void;
}

/** Another process holds the lock. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError';
  readonly owner: LockOwner;

  constructor(message: string, owner: LockOwner) {
    super(message);
    this.owner = owner;
  }
}

const TRIES = 20;

/** The lock of the engine that serves from a data folder. */
export function engineLockPath(dataDir: string): string {
  return join(dataDir, 'engine.lock');
}

/** Takes the lock. @throws LockHeldError with the process that holds it */
export function acquireLock(path: string): InstanceLock {
  mkdirSync(dirname(path), { recursive: true });
  const self: LockOwner = { pid: process.pid, startedAt: processStart(process.pid), address: null };
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (createLock(path, self)) return heldLock(path, self);
    const seen = readText(path);
    const owner = parseOwner(seen);
    if (owner !== null && isRunning(owner)) throw heldError(path, owner);
    removeStale(path, seen);
  }
  throw new Error(`The lock ${path} cannot be taken; remove it if no other process uses ${dirname(path)}.`);
}

/** The running process that holds this lock; null when there is none. */
export function lockOwner(path: string): LockOwner | null {
  const owner = parseOwner(readText(path));
  return owner !== null && isRunning(owner) ? owner : null;
}

function heldLock(path: string, self: LockOwner): InstanceLock {
  return {
    announce: (address) => {
      const next = scratchPath(path);
      writeFileSync(next, JSON.stringify({ ...self, address }));
      renameSync(next, path);
    },
    release: () => {
      if (parseOwner(readText(path))?.pid === self.pid) rmSync(path, { force: true });
    },
  };
}

/** The file appears with its content, by one link; false when there is one already. */
function createLock(path: string, self: LockOwner): boolean {
  const draft = scratchPath(path);
  writeFileSync(draft, JSON.stringify(self));
  try {
    linkSync(draft, path);
    return true;
  } catch (cause) {
    if (isCode(cause, 'EEXIST')) return false;
    throw cause;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** NOTE: between reading a stale lock and removing it another process may have replaced it by its own. So it is moved aside first,
 *  looked at again, and put back when it is not the one that was read. */
function removeStale(path: string, seen: string | null): void {
  const aside = scratchPath(path);
  try {
    renameSync(path, aside);
    if (readText(aside) !== seen) linkSync(aside, path);
  } catch (cause) {
    if (!isCode(cause, 'ENOENT') && !isCode(cause, 'EEXIST')) throw cause;
  } finally {
    rmSync(aside, { force: true });
  }
}

function heldError(path: string, owner: LockOwner): LockHeldError {
  const where = owner.address === null ? '' : ` and answers on ${owner.address}`;
  return new LockHeldError(
    `The process ${owner.pid} uses ${dirname(path)} already${where}. Stop it first, or choose another folder with --data-dir.`,
    owner,
  );
}

function isRunning(owner: LockOwner): boolean {
  if (!processExists(owner.pid)) return false;
  const startedAt = processStart(owner.pid);
  return startedAt === null || owner.startedAt === null || startedAt === owner.startedAt;
}

function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return isCode(cause, 'EPERM');
  }
}

/** On Linux clock ticks since boot with the boot's own id (proc(5), `starttime`), elsewhere what `ps` says. */
function processStart(pid: number): string | null {
  try {
    if (process.platform === 'win32') return null;
    if (process.platform !== 'linux') return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${afterName[19] ?? ''}`;
  } catch {
    return null;
  }
}

function parseOwner(text: string | null): LockOwner | null {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number') return null;
    return { startedAt: null, address: null, ...value, pid: value.pid };
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return null;
    throw cause;
  }
}

function scratchPath(path: string): string {
  return `${path}.${randomUUID()}`;
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
