// Owns the lifetime of one native object: an address, who still uses it, and how it is freed.
// Knows nothing about what the object is.
import { OrtError } from './ort_error.ts';

/**
 * A native object that is freed once: when it has been disposed and nobody retains it any longer. So disposing is safe at any
 * moment, also while a run on another thread reads the object.
 */
export class NativeHandle {
  readonly #what: string;
  readonly #free: (address: bigint) => void;
  readonly #address: bigint;
  #users = 0;
  #disposed = false;

  constructor(what: string, address: bigint, free: (address: bigint) => void) {
    this.#what = what;
    this.#address = address;
    this.#free = free;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** @throws OrtError `DISPOSED` */
  get address(): bigint {
    if (this.#disposed) throw new OrtError('DISPOSED', `This ${this.#what} has been disposed.`);
    return this.#address;
  }

  /** Keeps the object alive until the matching `release`. @throws OrtError `DISPOSED` */
  retain(): bigint {
    const address = this.address;
    this.#users++;
    return address;
  }

  release(): void {
    this.#users--;
    this.#freeIfUnused();
  }

  /** No new use from now on; may be called more than once. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#freeIfUnused();
  }

  #freeIfUnused(): void {
    if (this.#disposed && this.#users === 0) this.#free(this.#address);
  }
}
