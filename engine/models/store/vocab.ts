// Owns the compact vocabulary file: the bytes of every token and which tokens are special.
// Layout, little-endian: magic "MRV1", u32 token count n, u32 offsets[n + 1], u8 flags[n], then the bytes of all tokens.
// Knows nothing about how text is split into tokens.
import { readFile, writeFile } from 'node:fs/promises';
import { EngineError } from '../../errors.ts';

const MAGIC = 0x3156524d;
const HEADER_BYTES = 8;

/** Token is a marker (turn borders, padding): it is not text, and is left out of what clients see. */
export const FLAG_SPECIAL = 1;
/** Token stands for one byte of text that is not a whole character by itself. */
export const FLAG_BYTE = 2;

export interface VocabEntry {
  readonly bytes: Uint8Array;
  readonly flags: number;
}

/** Every token's bytes in one buffer; loading one costs a read and no parsing. */
export class Vocab {
  readonly size: number;
  readonly #offsets: Uint32Array;
  readonly #flags: Uint8Array;
  readonly #bytes: Uint8Array;

  private constructor(size: number, offsets: Uint32Array, flags: Uint8Array, bytes: Uint8Array) {
    this.size = size;
    this.#offsets = offsets;
    this.#flags = flags;
    this.#bytes = bytes;
  }

  /** The bytes that this token adds to a text (a view, not a copy); none for a token outside the vocabulary. */
  bytesOf(token: number): Uint8Array {
    return this.#bytes.subarray(this.#offsets[token] ?? 0, this.#offsets[token + 1] ?? 0);
  }

  isSpecial(token: number): boolean {
    return ((this.#flags[token] ?? 0) & FLAG_SPECIAL) !== 0;
  }

  isByte(token: number): boolean {
    return ((this.#flags[token] ?? 0) & FLAG_BYTE) !== 0;
  }

  /** Throws `model_file_invalid` when the layout does not fit the data's length. */
  static parse(data: Uint8Array): Vocab {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (data.byteLength < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) throw damaged('it does not start with its mark');
    const size = view.getUint32(4, true);
    const bytesStart = HEADER_BYTES + (size + 1) * 4 + size;
    if (bytesStart > data.byteLength) throw damaged('it is cut');
    const offsets = new Uint32Array(size + 1);
    for (let i = 0; i <= size; i++) offsets[i] = view.getUint32(HEADER_BYTES + i * 4, true);
    const flags = data.subarray(bytesStart - size, bytesStart);
    const bytes = data.subarray(bytesStart);
    if (!isRising(offsets) || offsets[size] !== bytes.byteLength) throw damaged('its offsets do not fit its length');
    return new Vocab(size, offsets, flags, bytes);
  }

  /** Throws `model_file_invalid` for a damaged file; file system errors pass through. */
  static async load(path: string): Promise<Vocab> {
    return Vocab.parse(await readFile(path));
  }
}

/** The file's content for these tokens, in token order. */
export function encodeVocab(entries: readonly VocabEntry[]): Uint8Array {
  const size = entries.length;
  const bytesStart = HEADER_BYTES + (size + 1) * 4 + size;
  const out = new Uint8Array(bytesStart + entries.reduce((sum, entry) => sum + entry.bytes.length, 0));
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, size, true);
  let at = 0;
  entries.forEach((entry, i) => {
    out[bytesStart - size + i] = entry.flags;
    out.set(entry.bytes, bytesStart + at);
    at += entry.bytes.length;
    view.setUint32(HEADER_BYTES + (i + 1) * 4, at, true);
  });
  return out;
}

export async function writeVocab(path: string, entries: readonly VocabEntry[]): Promise<void> {
  await writeFile(path, encodeVocab(entries));
}

function isRising(offsets: Uint32Array): boolean {
  return offsets[0] === 0 && offsets.every((offset, i) => i === 0 || offset >= (offsets[i - 1] ?? 0));
}

function damaged(why: string): EngineError {
  return new EngineError('model_file_invalid', `The vocabulary file is damaged: ${why}. Pull the model again.`);
}
