// Owns C strings that native code reads for as long as the object lives.
import { addressOf } from './system_memory.ts';

/** A fixed array of C strings (`const char* const*`). Keep it reachable while native code may read it. */
export class CStrings {
  /** Addresses of the strings, in order. */
  readonly pointers: BigUint64Array;
  readonly #bytes: readonly Uint8Array[];

  constructor(strings: readonly string[]) {
    this.#bytes = strings.map((text) => new TextEncoder().encode(`${text}\0`));
    this.pointers = BigUint64Array.from(this.#bytes, addressOf);
  }

  /** Address of the array. */
  get address(): bigint {
    return addressOf(this.pointers);
  }
}
