// Owns the wire form of protocol buffers, writing only: varints, floats, length-delimited fields and nested messages.
// Knows nothing about ONNX. https://protobuf.dev/programming-guides/encoding/
import { bug } from '../../errors.ts';

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Collects the fields of one message in the order they are written. */
export class MessageWriter {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  /** An int32, int64 or enum field; negative numbers take ten bytes, as the format wants. */
  int(field: number, value: number | bigint): this {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) bug(`Field ${field} is not an integer: ${value}.`);
    this.#tag(field, VARINT);
    return this.#varint(BigInt.asUintN(64, BigInt(value)));
  }

  float(field: number, value: number): this {
    this.#tag(field, FIXED32);
    return this.#push(new Uint8Array(Float32Array.of(value).buffer));
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(BigInt(value.length));
    return this.#push(value);
  }

  message(field: number, fill: (message: MessageWriter) => void): this {
    const nested = new MessageWriter();
    fill(nested);
    return this.bytes(field, nested.finish());
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks, this.#length);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(BigInt((field << 3) | wireType));
  }

  #varint(value: bigint): this {
    const bytes: number[] = [];
    let rest = value;
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    return this.#push(Uint8Array.from(bytes));
  }

  #push(bytes: Uint8Array): this {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    return this;
  }
}
