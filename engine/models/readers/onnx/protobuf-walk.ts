// Owns stepping through a protobuf file field by field, skipping what is not asked for without reading it.
// Knows wire types only (protobuf.dev/programming-guides/encoding), no message.
import { invalidFile, type RandomFile } from '../random-file.ts';

const WINDOW_BYTES = 1 << 16;
const MAX_VARINT_BYTES = 10;

/** A stretch of the file that holds one message. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type Field =
  | { readonly number: number; readonly kind: 'varint'; readonly value: number }
  | { readonly number: number; readonly kind: 'bytes'; readonly span: Span }
  | { readonly number: number; readonly kind: 'fixed' };

export class ProtobufWalk {
  readonly #file: RandomFile;
  readonly #decoder = new TextDecoder();
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;

  constructor(file: RandomFile) {
    this.#file = file;
  }

  get whole(): Span {
    return { from: 0, to: this.#file.sizeBytes };
  }

  /** The fields of the message in this span. Throws `model_file_invalid` for whatever does not fit into it. */
  *fields(span: Span): Generator<Field> {
    let at = span.from;
    while (at < span.to) {
      const tag = this.#varint(at, span.to);
      const { field, end } = this.#field(tag.value, tag.end, span.to);
      if (end > span.to) throw this.invalid(at, 'a field reaches beyond its message');
      yield field;
      at = end;
    }
  }

  /** A text field's content, at most `maxBytes` long. */
  text(span: Span, maxBytes: number): string {
    if (span.to - span.from > maxBytes) throw this.invalid(span.from, `a text of ${span.to - span.from} bytes`);
    return this.#decoder.decode(this.#bytes(span));
  }

  /** A packed field's numbers. Throws `model_file_invalid`. */
  *varints(span: Span): Generator<number> {
    for (let at = span.from; at < span.to;) {
      const { value, end } = this.#varint(at, span.to);
      yield value;
      at = end;
    }
  }

  invalid(at: number, fault: string): Error {
    return invalidFile(this.#file.path, `${fault} (byte ${at})`);
  }

  #field(tag: number, at: number, to: number): { readonly field: Field; readonly end: number } {
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number < 1) throw this.invalid(at, 'a field without a number');
    if (wireType === 0) {
      const { value, end } = this.#varint(at, to);
      return { field: { number, kind: 'varint', value }, end };
    }
    if (wireType === 1) return { field: { number, kind: 'fixed' }, end: at + 8 };
    if (wireType === 5) return { field: { number, kind: 'fixed' }, end: at + 4 };
    if (wireType !== 2) throw this.invalid(at, `the unknown wire type ${wireType}`);
    const length = this.#varint(at, to);
    const span = { from: length.end, to: length.end + length.value };
    return { field: { number, kind: 'bytes', span }, end: span.to };
  }

  /** Values beyond 2^53 lose their low bits: none that is used here is so large. */
  #varint(at: number, to: number): { readonly value: number; readonly end: number } {
    let value = 0;
    for (let i = 0; i < MAX_VARINT_BYTES && at + i < to; i++) {
      const byte = this.#byte(at + i);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { value, end: at + i + 1 };
    }
    throw this.invalid(at, 'a number that does not end');
  }

  /** The bytes of a short span. */
  #bytes({ from, to }: Span): Uint8Array {
    if (!this.#isInWindow(from, to)) this.#moveWindow(from, Math.max(WINDOW_BYTES, to - from));
    return this.#window.subarray(from - this.#windowStart, to - this.#windowStart);
  }

  #isInWindow(from: number, to: number): boolean {
    return from >= this.#windowStart && to <= this.#windowStart + this.#window.length;
  }

  #moveWindow(at: number, bytes: number): void {
    this.#window = this.#file.read(at, Math.min(bytes, this.#file.sizeBytes - at));
    this.#windowStart = at;
  }

  #byte(at: number): number {
    if (!this.#isInWindow(at, at + 1)) this.#moveWindow(at, WINDOW_BYTES);
    return this.#window[at - this.#windowStart] ?? 0;
  }
}
