// Owns GGUF's typed key-value pairs: reading them, and asking for one by name and type.
// Knows no key's meaning. Layout: github.com/ggml-org/ggml/blob/master/docs/gguf.md
import { EngineError } from '../../../errors.ts';
import type { Cursor } from './cursor.ts';

type NumberArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;
export type MetadataArray = readonly string[] | NumberArray;
export type MetadataValue = string | number | boolean | MetadataArray;

const TYPE_STRING = 8;
const TYPE_ARRAY = 9;
/** No array of a real model has more: vocabularies and merges stay under 600,000. */
const MAX_ARRAY_LENGTH = 1_000_000;
const MAX_PAIRS = 65_536;

const SCALARS: Readonly<Record<number, { readonly bytes: number; readonly read: (cursor: Cursor) => number | boolean }>> = {
  0: { bytes: 1, read: (cursor) => cursor.u8() },
  1: { bytes: 1, read: (cursor) => cursor.i8() },
  2: { bytes: 2, read: (cursor) => cursor.u16() },
  3: { bytes: 2, read: (cursor) => cursor.i16() },
  4: { bytes: 4, read: (cursor) => cursor.u32() },
  5: { bytes: 4, read: (cursor) => cursor.i32() },
  6: { bytes: 4, read: (cursor) => cursor.f32() },
  7: { bytes: 1, read: (cursor) => cursor.u8() !== 0 },
  10: { bytes: 8, read: (cursor) => cursor.u64() },
  11: { bytes: 8, read: (cursor) => cursor.i64() },
  12: { bytes: 8, read: (cursor) => cursor.f64() },
};

/** `count` pairs. Throws `model_file_invalid` for a repeated key, an unknown type, or an array that cannot fit. */
export function readMetadata(cursor: Cursor, count: number): Metadata {
  if (count > MAX_PAIRS) throw cursor.invalid(`${count} metadata entries`);
  const values = new Map<string, MetadataValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string();
    if (values.has(key)) throw cursor.invalid(`the metadata key ${key.slice(0, 80)} appears twice`);
    values.set(key, readValue(cursor, cursor.u32()));
  }
  return new Metadata(values);
}

function readValue(cursor: Cursor, type: number): MetadataValue {
  if (type === TYPE_STRING) return cursor.string();
  if (type === TYPE_ARRAY) return readArray(cursor);
  return scalar(cursor, type).read(cursor);
}

function readArray(cursor: Cursor): MetadataArray {
  const type = cursor.u32();
  if (type === TYPE_ARRAY) throw cursor.invalid('an array of arrays, which no field of a model needs');
  const element = type === TYPE_STRING ? { bytes: 8 } : scalar(cursor, type);
  const length = cursor.count(element.bytes, 'array elements');
  if (length > MAX_ARRAY_LENGTH) throw cursor.invalid(`an array of ${length} elements`);
  return type === TYPE_STRING ? Array.from({ length }, () => cursor.string()) : readNumbers(cursor, type, length);
}

/** Numbers as they lie in the file, so that an array never takes more memory than its bytes; little-endian hosts only. */
function readNumbers(cursor: Cursor, type: number, length: number): MetadataArray {
  const { buffer } = cursor.bytes(length * scalar(cursor, type).bytes);
  if (type === 1) return new Int8Array(buffer);
  if (type === 2) return new Uint16Array(buffer);
  if (type === 3) return new Int16Array(buffer);
  if (type === 4) return new Uint32Array(buffer);
  if (type === 5) return new Int32Array(buffer);
  if (type === 6) return new Float32Array(buffer);
  if (type === 10) return Float64Array.from(new BigUint64Array(buffer), Number);
  if (type === 11) return Float64Array.from(new BigInt64Array(buffer), Number);
  if (type === 12) return new Float64Array(buffer);
  return new Uint8Array(buffer);
}

function scalar(cursor: Cursor, type: number): { readonly bytes: number; readonly read: (cursor: Cursor) => number | boolean } {
  const found = SCALARS[type];
  if (found === undefined) throw cursor.invalid(`the unknown metadata type ${type}`);
  return found;
}

/** Metadata by key; every getter checks the value's type and throws `model_file_invalid` when it is another. */
export class Metadata {
  readonly #values: ReadonlyMap<string, MetadataValue>;

  constructor(values: ReadonlyMap<string, MetadataValue>) {
    this.#values = values;
  }

  string(key: string): string | null {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    return typeof value === 'string' ? value : wrongType(key, 'a text');
  }

  boolean(key: string): boolean | null {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    return typeof value === 'boolean' ? value : wrongType(key, 'true or false');
  }

  /** A finite number. */
  number(key: string): number | null {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    return typeof value === 'number' && Number.isFinite(value) ? value : wrongType(key, 'a finite number');
  }

  strings(key: string): readonly string[] | null {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    return Array.isArray(value) ? (value as readonly string[]) : wrongType(key, 'a list of texts');
  }

  numbers(key: string): ArrayLike<number> | null {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    return ArrayBuffer.isView(value) ? value : wrongType(key, 'a list of numbers');
  }
}

function wrongType(key: string, wanted: string): never {
  throw new EngineError('model_file_invalid', `The GGUF file is not usable: its ${key} is not ${wanted}.`);
}
