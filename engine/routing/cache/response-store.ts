// Owns what the caches hold: entries in memory, and the same behind them in a file, so that the next start is warm.
// Knows nothing about requests.
import type { CacheSettings } from '../../contract.ts';
import type { Log } from '../../log.ts';
import { CacheDisk } from './cache-disk.ts';
import { EntryCache, type CacheEntry, type EntryLimits } from './entry-cache.ts';

export interface ResponseStoreOptions {
  /** Path of the file; null: memory alone. */
  readonly path: string | null;
  readonly settings: () => CacheSettings;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
  /** Hear of each entry that comes, also from an earlier run, and of each that leaves. */
  readonly onAdded: (entry: CacheEntry) => void;
  readonly onRemoved: (entry: CacheEntry) => void;
}

const HOUR_MS = 3_600_000;

export class ResponseStore {
  readonly #options: ResponseStoreOptions;
  readonly #entries: EntryCache;
  #disk: CacheDisk | null = null;

  constructor(options: ResponseStoreOptions) {
    this.#options = options;
    const limits = (): EntryLimits => toLimits(options.settings());
    this.#entries = new EntryCache({ limits, now: options.now, onRemove: (entry) => this.#left(entry) });
  }

  /** Opens the file, once; what it holds comes in the background. */
  open(): void {
    const { path, log, now, settings } = this.#options;
    if (path === null) return;
    const { maxBytes, maxAgeMs } = toLimits(settings());
    const limits = { maxBytes, createdAfterMs: Math.floor(now() - maxAgeMs) };
    this.#disk = new CacheDisk({ path, limits, log, onEntries: (entries) => this.#restore(entries) });
  }

  /** After `open`: resolves when what an earlier run left is in memory. */
  get loaded(): Promise<void> {
    return this.#disk?.loaded ?? Promise.resolve();
  }

  get count(): number {
    return this.#entries.count;
  }

  get bytes(): number {
    return this.#entries.bytes;
  }

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(key);
  }

  put(entry: Omit<CacheEntry, 'createdMs'>): void {
    const dated = { ...entry, createdMs: Math.floor(this.#options.now()) };
    if (!this.#entries.put(dated)) return;
    this.#disk?.put(dated);
    this.#options.onAdded(dated);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** After the limits were lowered. */
  trim(): void {
    this.#entries.trim();
  }

  /** Removes the entries of models that are no longer there. */
  sweep(living: ReadonlySet<string>): void {
    const gone = this.#entries.sweep(living);
    if (gone > 0) this.#options.log.info({ entries: gone }, 'dropped what models that are gone had answered');
  }

  close(): Promise<void> {
    return this.#disk?.close() ?? Promise.resolve();
  }

  #restore(entries: readonly CacheEntry[]): void {
    for (const entry of entries) if (this.#entries.restore(entry)) this.#options.onAdded(entry);
  }

  #left(entry: CacheEntry): void {
    this.#disk?.remove(entry.key);
    this.#options.onRemoved(entry);
  }
}

function toLimits({ maxBytes, maxAgeHours }: CacheSettings): EntryLimits {
  return { maxBytes, maxAgeMs: maxAgeHours * HOUR_MS };
}
