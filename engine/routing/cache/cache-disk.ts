// Owns the engine's side of the cache's file: what changes is gathered and written behind, in a thread; what fails is logged once and
// the cache goes on in memory. Knows nothing about SQLite.
import { Worker } from 'node:worker_threads';
import type { Log } from '../../log.ts';
import type { CacheWorkerData, FromCacheWorker, ToCacheWorker } from './cache-worker.ts';
import type { CacheEntry } from './entry-cache.ts';

/** Changes of so long are written together. */
const GATHER_MS = 250;
/** The end of the process waits no longer for the last ones. */
const CLOSE_MS = 2_000;

export interface CacheDiskOptions extends CacheWorkerData {
  readonly log: Log;
  /** Gets what an earlier run left, portion by portion. */
  readonly onEntries: (entries: readonly CacheEntry[]) => void;
}

export class CacheDisk {
  readonly #options: CacheDiskOptions;
  readonly #worker: Worker;
  /** By key: what is to be written; null is to be removed. */
  #changes = new Map<string, CacheEntry | null>();
  #timer: NodeJS.Timeout | null = null;
  #isWriting = true;
  readonly #closed = Promise.withResolvers<void>();
  readonly #loaded = Promise.withResolvers<void>();

  constructor(options: CacheDiskOptions) {
    this.#options = options;
    const data: CacheWorkerData = { path: options.path, limits: options.limits };
    this.#worker = new Worker(new URL('cache-worker.ts', import.meta.url), { workerData: data });
    this.#worker.unref();
    this.#worker.on('message', (message: FromCacheWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error.message));
    this.#worker.on('exit', () => this.#settle());
  }

  /** Resolves when what an earlier run left has been handed on, or cannot be. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  put(entry: CacheEntry): void {
    this.#change(entry.key, entry);
  }

  remove(key: string): void {
    this.#change(key, null);
  }

  /** Writes what is gathered and ends the thread. */
  async close(): Promise<void> {
    this.#flush();
    this.#send({ kind: 'close' });
    const timer = setTimeout(() => this.#closed.resolve(), CLOSE_MS);
    await this.#closed.promise;
    clearTimeout(timer);
    await this.#worker.terminate();
  }

  #change(key: string, entry: CacheEntry | null): void {
    if (!this.#isWriting) return;
    this.#changes.set(key, entry);
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS).unref();
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#changes.size === 0) return;
    const puts = [...this.#changes.values()].filter((entry) => entry !== null);
    const removed = [...this.#changes].flatMap(([key, entry]) => (entry === null ? [key] : []));
    this.#changes = new Map();
    this.#send({ kind: 'write', puts, removed });
  }

  #send(message: ToCacheWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromCacheWorker): void {
    const { log, path } = this.#options;
    switch (message.kind) {
      case 'entries':
        return this.#options.onEntries(message.entries);
      case 'loaded':
        if (message.damagedEntries > 0) log.warn({ path, entries: message.damagedEntries }, 'damaged entries of the cache were dropped');
        return this.#loaded.resolve();
      case 'discarded':
        return log.warn({ path }, 'the cache file was damaged; it was thrown away and a new one begun');
      case 'failed':
        return this.#fail(message.reason);
      case 'closed':
        return this.#settle();
    }
  }

  #fail(reason: string): void {
    if (this.#isWriting) this.#options.log.warn({ path: this.#options.path, reason }, 'the cache goes on in memory alone');
    this.#isWriting = false;
    this.#changes = new Map();
    this.#loaded.resolve();
  }

  #settle(): void {
    this.#loaded.resolve();
    this.#closed.resolve();
  }
}
