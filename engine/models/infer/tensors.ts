// Owns tensors as an ordinary ONNX model takes and gives them, under the names of the Open Inference Protocol v2.
// Knows nothing about ONNX Runtime or HTTP. https://github.com/kserve/open-inference-protocol

const ELEMENT_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
} as const;

/** Element types by the protocol's names; BYTES (strings) is not among them. */
export type Datatype = keyof typeof ELEMENT_BYTES;
export const DATATYPES = Object.keys(ELEMENT_BYTES) as readonly Datatype[];

/** An input or output of a model. A size that it leaves open is null. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly (number | null)[];
}

/** A tensor's values: little-endian, row-major. What came from another process lies somewhere in a larger buffer. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface InferConfig {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Outputs that are no tensors of numbers (strings, sequences, maps), and are not offered. */
  readonly omittedOutputs: readonly string[];
  /** Whether requests can share a run along the first dimension: it is free everywhere, and rows together gave what each gave alone. */
  readonly batching: { readonly kind: 'rows' } | { readonly kind: 'none'; readonly reason: string };
}

/** Of a whole tensor. */
export function byteLengthOf(datatype: Datatype, shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, ELEMENT_BYTES[datatype]);
}

/** The values as numbers: over the bytes where those are a buffer of their own, else over a copy, since a view may be unaligned. */
export function valuesOf({ datatype, bytes }: Pick<Tensor, 'datatype' | 'bytes'>) {
  const { buffer } = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
  switch (datatype) {
    case 'BOOL':
    case 'UINT8':
      return new Uint8Array(buffer);
    case 'UINT16':
      return new Uint16Array(buffer);
    case 'UINT32':
      return new Uint32Array(buffer);
    case 'UINT64':
      return new BigUint64Array(buffer);
    case 'INT8':
      return new Int8Array(buffer);
    case 'INT16':
      return new Int16Array(buffer);
    case 'INT32':
      return new Int32Array(buffer);
    case 'INT64':
      return new BigInt64Array(buffer);
    case 'FP16':
      return new Float16Array(buffer);
    case 'FP32':
      return new Float32Array(buffer);
    case 'FP64':
      return new Float64Array(buffer);
  }
}

/** Tensors of the same inputs behind one another along the first dimension. */
export function concatRows(parts: readonly Tensor[]): Tensor | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part.bytes, at);
    at += part.bytes.length;
  }
  return { ...first, shape: [rows, ...first.shape.slice(1)], bytes };
}

/** The reverse: `counts` rows each, together all that there are. */
export function splitRows(tensor: Tensor, counts: readonly number[]): readonly Tensor[] {
  const rest = tensor.shape.slice(1);
  const rowBytes = byteLengthOf(tensor.datatype, rest);
  let row = 0;
  return counts.map((count) => {
    const bytes = tensor.bytes.slice(row * rowBytes, (row + count) * rowBytes);
    row += count;
    return { ...tensor, shape: [count, ...rest], bytes };
  });
}
