// Owns tensors: an OrtValue together with the memory it reads. ONNX Runtime never owns that memory.
// Knows nothing about sessions.
import { NativeHandle } from './handle.ts';
import { onnxRuntime } from './library.ts';
import { addressOf } from './system_memory.ts';
import type { NativeMemory } from './memory.ts';
import { OrtError } from './ort_error.ts';

/** Element types by name: `ONNXTensorElementDataType` and bytes of one element. */
const ELEMENT_TYPES = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  uint16: { code: 4, bytes: 2 },
  int16: { code: 5, bytes: 2 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
  float64: { code: 11, bytes: 8 },
  uint32: { code: 12, bytes: 4 },
  uint64: { code: 13, bytes: 8 },
} as const;

export type ElementType = keyof typeof ELEMENT_TYPES;
export type Shape = readonly number[];
export type TensorData =
  | Float32Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float64Array
  | Uint32Array
  | BigUint64Array;

const TYPE_OF_ARRAY = new Map<unknown, ElementType>([
  [Float32Array, 'float32'],
  [Uint8Array, 'uint8'],
  [Int8Array, 'int8'],
  [Uint16Array, 'uint16'],
  [Int16Array, 'int16'],
  [Int32Array, 'int32'],
  [BigInt64Array, 'int64'],
  [Float64Array, 'float64'],
  [Uint32Array, 'uint32'],
  [BigUint64Array, 'uint64'],
]);

/** The name of a numeric `ONNXTensorElementDataType`, or `other` for types that no tensor here can have. */
export function elementTypeName(code: number): ElementType | 'other' {
  const found = Object.entries(ELEMENT_TYPES).find(([, type]) => type.code === code);
  return found === undefined ? 'other' : (found[0] as ElementType);
}

/** Bytes of a tensor. */
export function tensorBytes(type: ElementType, shape: Shape): number {
  return shape.reduce((product, size) => product * size, ELEMENT_TYPES[type].bytes);
}

/** A dense tensor in ordinary memory. Holds what it lies over; `dispose` frees the OrtValue, once no run uses it any longer. */
export class OrtTensor implements Disposable {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly #handle: NativeHandle;
  /** NOTE: the OrtValue points into it; when V8 collected it, a run would read freed memory. */
  readonly memory: TensorData | NativeMemory;

  private constructor(type: ElementType, shape: Shape, memory: TensorData | NativeMemory, handle: NativeHandle) {
    this.type = type;
    this.shape = shape;
    this.memory = memory;
    this.#handle = handle;
  }

  /**
   * A tensor over a typed array; both see each other's writes. The type is the array's own, unless `type` names another of the same
   * width (`float16` over a Uint16Array, `bool` over a Uint8Array).
   * NOTE: never transfer the array to another thread while the tensor lives: its memory would move away under the tensor.
   * @throws OrtError `INVALID_ARGUMENT` when the array does not have exactly the shape's elements, or is shared or resizable
   */
  static over(data: TensorData, shape: Shape, type: ElementType = typeOfArray(data)): OrtTensor {
    if (data.byteLength !== tensorBytes(type, shape)) {
      throw new OrtError('INVALID_ARGUMENT', `${data.byteLength} bytes do not fill a ${type} tensor of [${shape.join(', ')}].`);
    }
    if (!isFixed(data.buffer)) throw new OrtError('INVALID_ARGUMENT', 'A tensor cannot lie over a shared or resizable buffer.');
    const value = createValue(addressOf(data), type, shape);
    return new OrtTensor(type, shape, data, new NativeHandle('tensor', value, onnxRuntime().api.releaseValue));
  }

  /** A tensor over the native memory that starts at `offset` bytes. @throws OrtError `INVALID_ARGUMENT` when it does not fit */
  static overMemory(memory: NativeMemory, offset: number, shape: Shape, type: ElementType): OrtTensor {
    const address = memory.retainRange(offset, tensorBytes(type, shape));
    try {
      const value = createValue(address, type, shape);
      return new OrtTensor(
        type,
        shape,
        memory,
        new NativeHandle('tensor', value, (owned) => {
          onnxRuntime().api.releaseValue(owned);
          memory.releaseRange();
        }),
      );
    } catch (error) {
      memory.releaseRange();
      throw error;
    }
  }

  get byteLength(): number {
    return tensorBytes(this.type, this.shape);
  }

  /** The native object, for a binding. */
  get handle(): NativeHandle {
    return this.#handle;
  }

  dispose(): void {
    this.#handle.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function typeOfArray(data: TensorData): ElementType {
  const type = TYPE_OF_ARRAY.get(data.constructor);
  if (type === undefined) throw new OrtError('INVALID_ARGUMENT', `No element type belongs to ${data.constructor.name}.`);
  return type;
}

function isFixed(buffer: ArrayBufferLike): boolean {
  return buffer instanceof ArrayBuffer && !buffer.resizable;
}

function createValue(address: bigint, type: ElementType, shape: Shape): bigint {
  const { api, create, cpuMemory } = onnxRuntime();
  const sizes = BigInt64Array.from(shape, BigInt);
  const bytes = tensorBytes(type, shape);
  return create((out) => api.createTensorWithData(cpuMemory, address, bytes, sizes, shape.length, ELEMENT_TYPES[type].code, out));
}
