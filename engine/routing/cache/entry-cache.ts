// Owns the entries that are held in memory: what was used last stays, the rest leaves when the bytes or the age run out.
// Knows nothing about what entries mean or where else they are kept.

export type EntryKind = 'row' | 'answer' | 'question';

export interface CacheEntry {
  readonly key: string;
  /** Of the model whose answer it is. */
  readonly identity: string;
  readonly kind: EntryKind;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly value: Uint8Array;
}

export interface EntryLimits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export interface EntryCacheOptions {
  /** Asked anew each time: the user may change them. */
  readonly limits: () => EntryLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Hears of every entry that leaves. */
  readonly onRemove: (entry: CacheEntry) => void;
}

/** What an entry takes beside its value: its key, its objects, its place in the map. Measured with 100,000 rows. */
const OVERHEAD_BYTES = 500;
/** One entry takes at most this share, so that it cannot push everything else out. */
const LARGEST_SHARE = 1 / 16;

export class EntryCache {
  readonly #options: EntryCacheOptions;
  /** Least recently used first. */
  readonly #entries = new Map<string, CacheEntry>();
  readonly #perIdentity = new Map<string, number>();
  #bytes = 0;

  constructor(options: EntryCacheOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#isOld(entry)) {
      this.#remove(entry);
      return undefined;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** False when it is too large or too old to be held. */
  put(entry: CacheEntry): boolean {
    if (sizeOf(entry) > this.#options.limits().maxBytes * LARGEST_SHARE || this.#isOld(entry)) return false;
    const earlier = this.#entries.get(entry.key);
    if (earlier !== undefined) this.#forget(earlier);
    this.#entries.set(entry.key, entry);
    this.#bytes += sizeOf(entry);
    this.#perIdentity.set(entry.identity, (this.#perIdentity.get(entry.identity) ?? 0) + 1);
    this.trim();
    return this.#entries.has(entry.key);
  }

  /** Takes an entry from an earlier run, unless there is a newer one or no room: nothing leaves for its sake. */
  restore(entry: CacheEntry): boolean {
    const hasRoom = this.#bytes + sizeOf(entry) <= this.#options.limits().maxBytes;
    return hasRoom && !this.#entries.has(entry.key) && this.put(entry);
  }

  /** Lets the least recently used go until the rest fits. */
  trim(): void {
    const { maxBytes } = this.#options.limits();
    for (const entry of this.#entries.values()) {
      if (this.#bytes <= maxBytes) return;
      this.#remove(entry);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
  }

  /** Removes the entries of models that are no longer there. */
  sweep(living: ReadonlySet<string>): number {
    const dead = new Set([...this.#perIdentity.keys()].filter((identity) => !living.has(identity)));
    if (dead.size === 0) return 0;
    const gone = [...this.#entries.values()].filter(({ identity }) => dead.has(identity));
    for (const entry of gone) this.#remove(entry);
    return gone.length;
  }

  #isOld({ createdMs }: CacheEntry): boolean {
    return createdMs + this.#options.limits().maxAgeMs <= this.#options.now();
  }

  #remove(entry: CacheEntry): void {
    this.#forget(entry);
    this.#options.onRemove(entry);
  }

  #forget(entry: CacheEntry): void {
    this.#entries.delete(entry.key);
    this.#bytes -= sizeOf(entry);
    const left = (this.#perIdentity.get(entry.identity) ?? 1) - 1;
    if (left === 0) this.#perIdentity.delete(entry.identity);
    else this.#perIdentity.set(entry.identity, left);
  }
}

function sizeOf({ value }: CacheEntry): number {
  return value.byteLength + OVERHEAD_BYTES;
}
