// Owns an open file that is read by offset; every read is checked against the file's size before memory is taken.
// Knows no format.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { EngineError } from '../../errors.ts';

export class RandomFile {
  readonly path: string;
  readonly sizeBytes: number;
  #fd: number | null;

  /** File system errors (missing, no permission) pass through; a folder or a device is `model_file_invalid`. */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'r');
    const stat = fstatSync(this.#fd);
    this.sizeBytes = stat.size;
    if (stat.isFile()) return;
    this.dispose();
    throw invalidFile(path, 'it is not a regular file');
  }

  /** `length` bytes at `offset`, in memory of their own. Throws `model_file_invalid` when they lie beyond the file's end. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > this.sizeBytes) {
      throw invalidFile(this.path, `it ends at byte ${this.sizeBytes}, where ${length} bytes at ${offset} are named`);
    }
    const out = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const got = readSync(this.#openFd(), out, at, Math.min(length - at, MAX_READ_BYTES), offset + at);
      if (got === 0) throw invalidFile(this.path, 'it became shorter while it was read');
      at += got;
    }
    return out;
  }

  dispose(): void {
    if (this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
  }

  #openFd(): number {
    if (this.#fd === null) throw new Error('A file was read after it was disposed. This is a bug.');
    return this.#fd;
  }
}

/** One read call takes at most 2 GiB. */
const MAX_READ_BYTES = 2 ** 30;

/** `model_file_invalid` that names the file and the fault. */
export function invalidFile(path: string, fault: string): EngineError {
  return new EngineError('model_file_invalid', `${basename(path)} is not usable: ${fault}.`);
}
