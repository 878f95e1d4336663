// Owns one tensor that lies in a file, contiguous and row-major; rows are read and decoded when asked for.
// Knows no file format: offsets are given, and were checked.
import { bug } from '../../errors.ts';
import { decode } from './decode/decode.ts';
import type { RandomFile } from './random-file.ts';
import { rowBytes, rowCount, rowLength, type SourceTensor, type SourceType } from './tensors.ts';

interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: SourceType;
  /** From the start of the file. */
  readonly offset: number;
}

export class FileTensor implements SourceTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: SourceType;
  readonly #file: RandomFile;
  readonly #offset: number;

  constructor(file: RandomFile, place: Place) {
    this.name = place.name;
    this.shape = place.shape;
    this.type = place.type;
    this.#file = file;
    this.#offset = place.offset;
  }

  readRaw(from: number, count: number): Uint8Array {
    if (from < 0 || count < 0 || from + count > rowCount(this.shape))
      bug(`Rows ${from} to ${from + count} of ${this.name} were asked for.`);
    const bytes = rowBytes(this.type, rowLength(this.shape));
    return this.#file.read(this.#offset + from * bytes, count * bytes);
  }

  readF32(from: number, count: number): Float32Array {
    return decode(this.type, this.readRaw(from, count), count * rowLength(this.shape));
  }
}

/** The type that holds the most weights among matrices. */
export function prevailingType(tensors: Iterable<SourceTensor>): SourceType {
  const weights = new Map<SourceType, number>();
  for (const { type, shape } of tensors) {
    if (shape.length > 1) weights.set(type, (weights.get(type) ?? 0) + weightCount(shape));
  }
  return [...weights].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 'F32';
}

export function weightCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
