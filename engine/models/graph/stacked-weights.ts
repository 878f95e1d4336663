// Owns how tensors of a source become the rows of one linear layer: stacking, row order, factors on rows and columns.
// Knows nothing about which layer it is or what form it will take.
import { bug } from '../../errors.ts';
import { rowBytes, rowCount, rowLength } from '../readers/tensors.ts';
import type { SourceTensor } from '../readers/tensors.ts';
import type { LinearWeights } from './linear.ts';

export interface WeightPart {
  readonly tensor: SourceTensor;
  /** Source row of each row; null: as stored. */
  readonly rowOrder: Int32Array | null;
  /** Multiplied onto column j of every row, [inFeatures]. */
  readonly columnFactors: Float32Array | null;
  /** Multiplied onto each row, in the order after `rowOrder`. */
  readonly rowFactors: Float32Array | null;
}

type Parts = readonly [WeightPart, ...WeightPart[]];

interface RowRange {
  readonly from: number;
  readonly count: number;
}

type Rows = Float32Array | Uint8Array;

/** One way to read rows: as stored, or as numbers. */
interface RowReader<T extends Rows> {
  readonly make: new (length: number) => T;
  /** Elements of `T` in one row of the tensor. */
  readonly width: (tensor: SourceTensor) => number;
  readonly read: (tensor: SourceTensor, from: number, count: number) => T;
}

const stored: RowReader<Uint8Array> = {
  make: Uint8Array,
  width: (tensor) => rowBytes(tensor.type, rowLength(tensor.shape)),
  read: (tensor, from, count) => tensor.readRaw(from, count),
};

const decoded: RowReader<Float32Array> = {
  make: Float32Array,
  width: (tensor) => rowLength(tensor.shape),
  read: (tensor, from, count) => tensor.readF32(from, count),
};

export const wholeTensor = (tensor: SourceTensor): WeightPart => ({ tensor, rowOrder: null, columnFactors: null, rowFactors: null });

/** The parts' rows one below the other. Throws when the parts differ in width. */
export function stackRows(name: string, parts: Parts, bias: Float32Array | null): LinearWeights {
  const inFeatures = rowLength(parts[0].tensor.shape);
  if (parts.some((part) => rowLength(part.tensor.shape) !== inFeatures)) bug(`The parts of ${name} differ in width.`);
  const sourceType = sharedType(parts);
  return {
    name,
    outFeatures: parts.reduce((rows, part) => rows + rowCount(part.tensor.shape), 0),
    inFeatures,
    bias,
    sourceType,
    readF32: (from, count) => gather(parts, { from, count }, decoded, withFactors),
    readRaw: (from, count) => {
      if (sourceType === null) bug(`The parts of ${name} have no common stored form.`);
      return gather(parts, { from, count }, stored, (part, range) => inOrder(part, range, stored));
    },
  };
}

function sharedType(parts: Parts): LinearWeights['sourceType'] {
  const { type } = parts[0].tensor;
  const plain = parts.every((part) => part.tensor.type === type && part.columnFactors === null && part.rowFactors === null);
  return plain ? type : null;
}

/** Rows [from, from + count) of the stack; `readPart` gives those of one part. */
function gather<T extends Rows>(
  parts: Parts,
  range: RowRange,
  reader: RowReader<T>,
  readPart: (part: WeightPart, range: RowRange) => T,
): T {
  const width = reader.width(parts[0].tensor);
  const target = new reader.make(range.count * width);
  const end = range.from + range.count;
  let start = 0;
  for (const part of parts) {
    const stop = start + rowCount(part.tensor.shape);
    const first = Math.max(range.from, start);
    const count = Math.min(end, stop) - first;
    if (count > 0) target.set(readPart(part, { from: first - start, count }), (first - range.from) * width);
    start = stop;
  }
  if (end > start) bug(`Rows up to ${end} of ${start} were asked for.`);
  return target;
}

/** A part's rows in the order it asks for. */
function inOrder<T extends Rows>({ tensor, rowOrder }: WeightPart, { from, count }: RowRange, reader: RowReader<T>): T {
  if (rowOrder === null) return reader.read(tensor, from, count);
  const width = reader.width(tensor);
  const target = new reader.make(count * width);
  for (let row = 0; row < count; row++) {
    const at = rowOrder[from + row] ?? bug(`The row order of ${tensor.name} is too short.`);
    target.set(reader.read(tensor, at, 1), row * width);
  }
  return target;
}

function withFactors(part: WeightPart, range: RowRange): Float32Array {
  const { columnFactors, rowFactors } = part;
  const rows = inOrder(part, range, decoded);
  if (columnFactors === null && rowFactors === null) return rows;
  const width = decoded.width(part.tensor);
  return rows.map((value, at) => value * (columnFactors?.[at % width] ?? 1) * (rowFactors?.[range.from + Math.floor(at / width)] ?? 1));
}

/** Row order that turns GGUF's llama layout of q and k (neighbouring rows are a rotated pair) back into halves: within a head,
 * row j·(headDim/2)+i is stored at 2i+j. */
export function halvesFromPairs(heads: number, headDim: number): Int32Array {
  const half = headDim / 2;
  return Int32Array.from({ length: heads * headDim }, (_, row) => {
    const within = row % headDim;
    return row - within + 2 * (within % half) + Math.floor(within / half);
  });
}
