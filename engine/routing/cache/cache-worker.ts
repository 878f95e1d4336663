// Owns the thread that keeps the cache's file, since SQLite is synchronous. What it cannot write is lost to the next start, and said.
import { parentPort, workerData } from 'node:worker_threads';
import { isDamage } from '../../ledger/store/fault.ts';
import { CacheFile, type LoadLimits } from './cache-file.ts';
import type { CacheEntry } from './entry-cache.ts';

export interface CacheWorkerData {
  readonly path: string;
  readonly limits: LoadLimits;
}

export type ToCacheWorker =
  | { readonly kind: 'write'; readonly puts: readonly CacheEntry[]; readonly removed: readonly string[] }
  | { readonly kind: 'close' };

export type FromCacheWorker =
  /** Of an earlier run. */
  | { readonly kind: 'entries'; readonly entries: readonly CacheEntry[] }
  | { readonly kind: 'loaded'; readonly damagedEntries: number }
  /** A damaged file was thrown away, and a new one begun. */
  | { readonly kind: 'discarded' }
  /** Nothing is written any more. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'closed' };

function tell(message: FromCacheWorker): void {
  parentPort?.postMessage(message);
}

/** The file once what it held has been handed on; null when it cannot be used. */
function open({ path, limits }: CacheWorkerData): CacheFile | null {
  return guarded(() => {
    const file = new CacheFile(path, Date.now());
    if (file.wasDamaged) tell({ kind: 'discarded' });
    tell({ kind: 'loaded', damagedEntries: file.load(limits, (entries) => tell({ kind: 'entries', entries })) });
    return file;
  });
}

function guarded<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    return null;
  }
}

/** The file to go on with. Damage shows when it is opened; what turns up later is met the same way, by opening it again. */
function write(file: CacheFile, data: CacheWorkerData, { puts, removed }: Extract<ToCacheWorker, { kind: 'write' }>): CacheFile | null {
  try {
    file.write(puts, removed);
    return file;
  } catch (error) {
    guarded(() => file.close());
    if (isDamage(error)) return guarded(() => reopened(data));
    tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    return null;
  }
}

function reopened({ path }: CacheWorkerData): CacheFile {
  const file = new CacheFile(path, Date.now());
  if (file.wasDamaged) tell({ kind: 'discarded' });
  return file;
}

function serve(data: CacheWorkerData): void {
  let file = open(data);
  parentPort?.on('message', (message: ToCacheWorker) => {
    if (message.kind === 'write') {
      if (file !== null) file = write(file, data, message);
      return;
    }
    guarded(() => file?.close());
    tell({ kind: 'closed' });
    parentPort?.close();
  });
}

if (parentPort !== null) serve(workerData as CacheWorkerData);
