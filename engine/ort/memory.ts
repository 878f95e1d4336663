// Owns native memory that JavaScript knows as an address only: reserved at once, committed by the page as it is touched.
// Knows nothing about tensors. How an operating system does it: system_memory.ts.
import { NativeHandle } from './handle.ts';
import { OrtError } from './ort_error.ts';
import { systemMemory } from './system_memory.ts';

/**
 * Zero-filled memory outside of V8's heap and memory cage. Reserving costs no physical memory: a page is committed when it is first
 * written. `dispose` gives it back; where tensors still lie over it, when the last of them is disposed.
 */
export class NativeMemory implements Disposable {
  readonly byteLength: number;
  readonly #handle: NativeHandle;
  readonly #system = systemMemory();

  /** @throws OrtError `SYSTEM` when the address space cannot be reserved */
  constructor(byteLength: number) {
    if (!Number.isSafeInteger(byteLength) || byteLength <= 0) throw new RangeError(`Cannot reserve ${byteLength} bytes.`);
    const system = this.#system;
    this.byteLength = byteLength;
    this.#handle = new NativeHandle('memory', system.reserve(byteLength), (address) => system.free(address, byteLength));
  }

  /**
   * Gives the physical memory of the pages that lie wholly inside [offset, offset + bytes) back to the system; they read as zeros from
   * then on. Bytes of a page shared with a neighbour keep their values.
   */
  release(offset: number, bytes: number): void {
    const address = this.#address(offset, bytes);
    const page = BigInt(this.#system.pageBytes);
    const first = ((address + page - 1n) / page) * page;
    const end = ((address + BigInt(bytes)) / page) * page;
    if (end > first) this.#system.decommit(first, Number(end - first));
  }

  /** Copies inside this memory; the two ranges may overlap. */
  copy(from: number, to: number, bytes: number): void {
    this.#system.move(this.#address(to, bytes), this.#address(from, bytes), bytes);
  }

  write(offset: number, data: NodeJS.ArrayBufferView): void {
    this.#system.move(this.#address(offset, data.byteLength), data, data.byteLength);
  }

  /** Fills `into` with the bytes at `offset`. */
  read<T extends NodeJS.ArrayBufferView>(offset: number, into: T): T {
    this.#system.move(into, this.#address(offset, into.byteLength), into.byteLength);
    return into;
  }

  /** Bytes of physical memory in use, by whole pages. Costs about a microsecond for each MiB reserved. */
  committedBytes(): number {
    return this.#system.committedBytes(this.#handle.address, this.byteLength);
  }

  /** For a tensor: the address of a range, valid until the matching `releaseRange`. */
  retainRange(offset: number, bytes: number): bigint {
    const address = this.#address(offset, bytes);
    this.#handle.retain();
    return address;
  }

  releaseRange(): void {
    this.#handle.release();
  }

  dispose(): void {
    this.#handle.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #address(offset: number, bytes: number): bigint {
    const inside =
      Number.isSafeInteger(offset) && Number.isSafeInteger(bytes) && offset >= 0 && bytes >= 0 && offset + bytes <= this.byteLength;
    if (!inside)
      throw new OrtError('INVALID_ARGUMENT', `Bytes ${offset} to ${offset + bytes} are outside of this memory of ${this.byteLength}.`);
    return this.#handle.address + BigInt(offset);
  }
}
