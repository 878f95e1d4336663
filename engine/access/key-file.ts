// Owns `keys.json`: every key, hashed. It appears whole, by one rename, readable by this user alone; writers take turns by a lock,
// so that the command line may change it while the engine serves.
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError } from '../errors.ts';
import { acquireLock, LockHeldError, type InstanceLock } from '../instance-lock.ts';
import type { KeyRecord, KeyTable } from './key.ts';
import { faultOfWish, isTime } from './key-wish.ts';

const FORMAT_VERSION = 1;
const LOCK_TRIES = 200;
const LOCK_PAUSE_MS = 10;

/** The file of a data folder. */
export function keyFilePath(dataDir: string): string {
  return join(dataDir, 'keys.json');
}

/** Every key; none without a file. @throws EngineError `access_unavailable` for a file that is damaged or cannot be read: nobody is let in by mistake */
export function readKeyFile(path: string): KeyTable {
  const text = readText(path);
  if (text === null) return new Map();
  try {
    const document: unknown = JSON.parse(text);
    if (!isKeyDocument(document)) throw new Error(`it is not a list of keys in version ${FORMAT_VERSION}`);
    return new Map(document.keys.map((key) => [key.id, key]));
  } catch (cause) {
    throw unavailable(`The file of API keys is damaged: ${reasonOf(cause)}. Restore it from a backup, or remove it: ${path}`, cause);
  }
}

function isKeyDocument(document: unknown): document is { readonly keys: readonly KeyRecord[] } {
  if (typeof document !== 'object' || document === null || !('version' in document) || !('keys' in document)) return false;
  return document.version === FORMAT_VERSION && Array.isArray(document.keys) && document.keys.every(isKeyRecord);
}

function isKeyRecord(key: unknown): boolean {
  if (typeof key !== 'object' || key === null || !('id' in key) || !('hash' in key) || !('createdMs' in key) || !('revokedMs' in key))
    return false;
  const { id, hash, createdMs, revokedMs } = key;
  const isPlain = typeof id === 'string' && /^[a-z0-9]{10}$/.test(id) && isHash(hash) && isTime(createdMs);
  return isPlain && (revokedMs === null || isTime(revokedMs)) && 'previous' in key && isPrevious(key.previous) && faultOfWish(key) === null;
}

function isPrevious(previous: unknown): boolean {
  if (previous === null) return true;
  if (typeof previous !== 'object' || !('hash' in previous) || !('untilMs' in previous)) return false;
  return isHash(previous.hash) && isTime(previous.untilMs);
}

const isHash = (hash: unknown): boolean => typeof hash === 'string' && /^[\w-]{43}$/.test(hash);

/** Applies `change` to the keys as they are in the file now, and writes them. @throws EngineError `access_unavailable`, `insufficient_storage`, and what `change` throws */
export async function changeKeyFile<T>(
  path: string,
  change: (keys: KeyTable) => { readonly keys: KeyTable; readonly result: T },
): Promise<T> {
  const lock = await lockFor(path);
  try {
    const { keys, result } = change(readKeyFile(path));
    writeKeys(path, keys);
    return result;
  } finally {
    lock.release();
  }
}

async function lockFor(path: string): Promise<InstanceLock> {
  for (let attempt = 1; ; attempt++) {
    try {
      return acquireLock(`${path}.lock`);
    } catch (cause) {
      if (!(cause instanceof LockHeldError) || attempt === LOCK_TRIES)
        throw unavailable(`The file of API keys is locked: ${reasonOf(cause)}`, cause);
      await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
    }
  }
}

function writeKeys(path: string, keys: KeyTable): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeSynced(`${path}.new`, `${JSON.stringify({ version: FORMAT_VERSION, keys: [...keys.values()] }, null, 2)}\n`);
    renameSync(`${path}.new`, path);
  } catch (cause) {
    const isFull = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
    const reason = `The API keys cannot be written and are as before: ${reasonOf(cause)}`;
    throw isFull ? new EngineError('insufficient_storage', reason, { cause }) : unavailable(reason, cause);
  }
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  // A draft that was left by a crash keeps its own mode.
  chmodSync(path, 0o600);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw unavailable(`The file of API keys cannot be read: ${reasonOf(cause)}`, cause);
  }
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

const unavailable = (message: string, cause: unknown): EngineError => new EngineError('access_unavailable', message, { cause });
