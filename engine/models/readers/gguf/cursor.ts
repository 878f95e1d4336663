// Owns reading GGUF's little-endian scalars one after another, through a window over the file.
// Every length is checked against what is left of the file, and the header as a whole against a limit.
import { invalidFile, type RandomFile } from '../random-file.ts';

const WINDOW_BYTES = 1 << 20;

/** Longest header (metadata and tensor list) that is accepted; a vocabulary of 260,000 tokens with merges takes 15 MB. */
export const MAX_HEADER_BYTES = 64 << 20;
const MAX_STRING_BYTES = 4 << 20;

export class Cursor {
  readonly #file: RandomFile;
  readonly #limit: number;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  #position = 0;

  constructor(file: RandomFile) {
    this.#file = file;
    this.#limit = Math.min(file.sizeBytes, MAX_HEADER_BYTES);
  }

  get position(): number {
    return this.#position;
  }

  /** Bytes that the header may still have. */
  get remaining(): number {
    return this.#limit - this.#position;
  }

  u8(): number {
    return this.#take(1, (window, at) => window.readUInt8(at));
  }
  i8(): number {
    return this.#take(1, (window, at) => window.readInt8(at));
  }
  u16(): number {
    return this.#take(2, (window, at) => window.readUInt16LE(at));
  }
  i16(): number {
    return this.#take(2, (window, at) => window.readInt16LE(at));
  }
  u32(): number {
    return this.#take(4, (window, at) => window.readUInt32LE(at));
  }
  i32(): number {
    return this.#take(4, (window, at) => window.readInt32LE(at));
  }
  f32(): number {
    return this.#take(4, (window, at) => window.readFloatLE(at));
  }
  f64(): number {
    return this.#take(8, (window, at) => window.readDoubleLE(at));
  }

  /** Throws `model_file_invalid` beyond 2^53: no count, length or offset of a real file is so large. */
  u64(): number {
    const low = this.u32();
    return this.#exact(this.u32() * 2 ** 32 + low);
  }
  i64(): number {
    const low = this.u32();
    return this.#exact(this.i32() * 2 ** 32 + low);
  }

  string(): string {
    const length = this.u64();
    if (length > MAX_STRING_BYTES) throw this.invalid(`a string of ${length} bytes`);
    return this.#take(length, (window, at) => window.toString('utf8', at, at + length));
  }

  /** A count of things that take at least `minBytes` each; refused when they cannot fit into what is left. */
  count(minBytes: number, what: string): number {
    const count = this.u64();
    if (count * minBytes > this.remaining) throw this.invalid(`${count} ${what} do not fit into it`);
    return count;
  }

  /** `length` bytes in memory of their own. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.remaining) throw this.invalid(`its header ends inside a value`);
    const out = this.#file.read(this.#position, length);
    this.#position += length;
    return out;
  }

  invalid(fault: string): Error {
    return invalidFile(this.#file.path, `${fault} (byte ${this.#position})`);
  }

  #exact(number: number): number {
    if (!Number.isSafeInteger(number)) throw this.invalid(`the number ${number} is out of range`);
    return number;
  }

  #take<T>(length: number, read: (window: Buffer, at: number) => T): T {
    if (length > this.remaining) {
      throw this.invalid(
        this.#limit === MAX_HEADER_BYTES ? `its header is longer than ${MAX_HEADER_BYTES} bytes` : 'it ends inside its header',
      );
    }
    if (this.#position - this.#windowStart + length > this.#window.length) this.#moveWindow(length);
    const at = this.#position - this.#windowStart;
    this.#position += length;
    return read(this.#window, at);
  }

  #moveWindow(length: number): void {
    const wanted = Math.min(Math.max(length, WINDOW_BYTES), this.#limit - this.#position);
    this.#window = Buffer.from(this.#file.read(this.#position, wanted).buffer);
    this.#windowStart = this.#position;
  }
}
