// Owns what every reader offers: tensors by name, a few rows at a time, from files that stay open.
// Knows no file format.

/** Bytes of one block and the weights it holds, for each type of stored weight. */
export const BLOCKS = {
  F32: { weights: 1, bytes: 4 },
  F16: { weights: 1, bytes: 2 },
  BF16: { weights: 1, bytes: 2 },
  Q4_0: { weights: 32, bytes: 18 },
  Q4_1: { weights: 32, bytes: 20 },
  Q5_0: { weights: 32, bytes: 22 },
  Q5_1: { weights: 32, bytes: 24 },
  Q8_0: { weights: 32, bytes: 34 },
  Q2_K: { weights: 256, bytes: 84 },
  Q3_K: { weights: 256, bytes: 110 },
  Q4_K: { weights: 256, bytes: 144 },
  Q5_K: { weights: 256, bytes: 176 },
  Q6_K: { weights: 256, bytes: 210 },
  IQ4_NL: { weights: 32, bytes: 18 },
  IQ4_XS: { weights: 256, bytes: 136 },
} as const satisfies Record<string, { readonly weights: number; readonly bytes: number }>;

export type SourceType = keyof typeof BLOCKS;

export interface SourceTensor {
  readonly name: string;
  /** Row-major: `[rows, cols]` for matrices, `[n]` for vectors, whose single row is the whole. */
  readonly shape: readonly number[];
  readonly type: SourceType;
  /** Raw bytes of rows `[from, from + count)`. Throws `model_file_invalid` when the file has been cut since it was opened. */
  readRaw(from: number, count: number): Uint8Array;
  /** The same rows decoded, `count × rowLength` numbers. */
  readF32(from: number, count: number): Float32Array;
}

/** Files stay open and are read by offset, never whole. */
export interface TensorSource {
  readonly tensors: ReadonlyMap<string, SourceTensor>;
  dispose(): void;
}

/** Rows of a shape: the first dimension of a matrix, 1 for a vector or a scalar. */
export function rowCount(shape: readonly number[]): number {
  return shape.length < 2 ? 1 : (shape[0] ?? 1);
}

/** Weights in one row. */
export function rowLength(shape: readonly number[]): number {
  return (shape.length < 2 ? shape : shape.slice(1)).reduce((product, dim) => product * dim, 1);
}

/** Bytes of one row of this type; `length` is a multiple of the type's block. */
export function rowBytes(type: SourceType, length: number): number {
  const block = BLOCKS[type];
  return (length / block.weights) * block.bytes;
}
