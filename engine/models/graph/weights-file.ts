// Owns the external weights file of a graph: tensors one after another, each at a page border so that ONNX Runtime maps it.
import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** ONNX Runtime memory-maps external tensors whose offset is a multiple of the page size, and copies others. */
const ALIGNMENT = 4096;
const WRITE_BYTES = 1 << 26;

/** Where a tensor lies in the file, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** Append-only; the owner disposes it, which closes the file without a promise that it is complete. */
export class WeightsFile {
  readonly #fd: number;
  #end = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx');
  }

  /** Bytes written so far, padding included. */
  get sizeBytes(): number {
    return this.#end;
  }

  /** Writes the chunks as one tensor; only one chunk is held at a time. */
  append(chunks: Iterable<ArrayBufferView>): Extent {
    const offset = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    let at = offset;
    for (const chunk of chunks) at = this.#write(chunk, at);
    this.#end = at;
    return { offset, length: at - offset };
  }

  /** Makes what was written durable. */
  sync(): void {
    ftruncateSync(this.#fd, this.#end);
    fsyncSync(this.#fd);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #write(chunk: ArrayBufferView, start: number): number {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let done = 0;
    while (done < bytes.length) {
      done += writeSync(this.#fd, bytes, done, Math.min(bytes.length - done, WRITE_BYTES), start + done);
    }
    return start + done;
  }
}
