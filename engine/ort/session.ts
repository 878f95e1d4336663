// Owns a loaded model: an OrtSession, what it takes and what it gives.
// Knows nothing about what the model is for.
import koffi from 'koffi';
import type { Status, Out } from './c_api.ts';
import { NativeHandle } from './handle.ts';
import { onnxRuntime } from './library.ts';
import type { OnnxRuntime } from './library.ts';
import { CStrings } from './strings.ts';
import { elementTypeName } from './tensor.ts';
import type { ElementType } from './tensor.ts';

export interface ExecutionProvider {
  /** Name as ONNX Runtime knows it, such as `WebGPU`. */
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
}

export interface SessionOptions {
  /** Intra-op threads, the calling thread included. */
  readonly threads: number;
  /** In order of preference; the CPU comes last by itself. */
  readonly providers?: readonly ExecutionProvider[];
  /** `session.*` keys of onnxruntime_session_options_config_keys.h; these win over the defaults below. */
  readonly configEntries?: Readonly<Record<string, string>>;
  /** Starts profiling into `<prefix>_<date>.json`; `endProfiling` returns the path. */
  readonly profilePrefix?: string;
}

/** An input or output of a model. A size that the model leaves open is null. */
export interface TensorInfo {
  readonly name: string;
  readonly type: ElementType | 'other';
  readonly shape: readonly (number | null)[];
}

const DEFAULT_CONFIG: Readonly<Record<string, string>> = {
  // A short spin keeps the speed of spinning threads without burning a shared machine's processors between steps.
  'session.intra_op.allow_spinning': '1',
  'session.intra_op.spin_duration_us': '200',
  // Weights come from the system and not from an arena that grows in powers of two.
  'session.use_device_allocator_for_initializers': '1',
};
/** `ORT_ENABLE_ALL`. */
const ALL_OPTIMIZATIONS = 99;

/** A model ready to run. Disposing it is safe at any time: a run under way ends first, a later one throws. */
export class OrtSession implements Disposable {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly #handle: NativeHandle;

  private constructor(handle: NativeHandle) {
    this.#handle = handle;
    this.inputs = describeAll(handle.address, 'Input');
    this.outputs = describeAll(handle.address, 'Output');
  }

  /**
   * Loads an ONNX file; blocks the thread until it is loaded.
   * @throws OrtError with ONNX Runtime's code: `NO_SUCHFILE`, `INVALID_PROTOBUF`, `INVALID_GRAPH`, `FAIL` …
   */
  static create(path: string, options: SessionOptions): OrtSession {
    const runtime = onnxRuntime();
    const native = createOptions(runtime, options);
    try {
      const session = runtime.create<bigint>((out) => runtime.api.createSession(runtime.env, path, native, out));
      return OrtSession.#describe(new NativeHandle('session', session, runtime.api.releaseSession));
    } finally {
      runtime.api.releaseSessionOptions(native);
    }
  }

  static #describe(handle: NativeHandle): OrtSession {
    try {
      return new OrtSession(handle);
    } catch (error) {
      handle.dispose();
      throw error;
    }
  }

  /** The native object, for a binding. */
  get handle(): NativeHandle {
    return this.#handle;
  }

  /** Ends profiling and returns the path of the JSON trace. Only with `profilePrefix`. @throws OrtError */
  endProfiling(): string {
    const { api, allocator } = onnxRuntime();
    return takeString((out) => api.sessionEndProfiling(this.#handle.address, allocator, out));
  }

  dispose(): void {
    this.#handle.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function createOptions(runtime: OnnxRuntime, options: SessionOptions): bigint {
  const native = runtime.create<bigint>((out) => runtime.api.createSessionOptions(out));
  try {
    applyOptions(runtime, native, options);
    return native;
  } catch (error) {
    runtime.api.releaseSessionOptions(native);
    throw error;
  }
}

function applyOptions({ api, check }: OnnxRuntime, native: bigint, options: SessionOptions): void {
  check(api.setIntraOpNumThreads(native, options.threads));
  check(api.setInterOpNumThreads(native, 1));
  check(api.setSessionGraphOptimizationLevel(native, ALL_OPTIMIZATIONS));
  for (const [key, value] of Object.entries({ ...DEFAULT_CONFIG, ...options.configEntries })) {
    check(api.addSessionConfigEntry(native, key, value));
  }
  for (const provider of options.providers ?? []) {
    const keys = new CStrings(Object.keys(provider.options));
    const values = new CStrings(Object.values(provider.options));
    check(api.appendExecutionProvider(native, provider.name, keys.pointers, values.pointers, keys.pointers.length));
  }
  if (options.profilePrefix !== undefined) check(api.enableProfiling(native, options.profilePrefix));
}

function describeAll(session: bigint, side: 'Input' | 'Output'): TensorInfo[] {
  const { api, create } = onnxRuntime();
  const count = Number(create<number>((out) => api[`sessionGet${side}Count`](session, out)));
  return Array.from({ length: count }, (_, index) => describe(session, side, index));
}

function describe(session: bigint, side: 'Input' | 'Output', index: number): TensorInfo {
  const { api, create, allocator } = onnxRuntime();
  const name = takeString((out) => api[`sessionGet${side}Name`](session, index, allocator, out));
  const typeInfo = create<bigint>((out) => api[`sessionGet${side}TypeInfo`](session, index, out));
  try {
    return { name, ...describeType(typeInfo) };
  } finally {
    api.releaseTypeInfo(typeInfo);
  }
}

function describeType(typeInfo: bigint): Omit<TensorInfo, 'name'> {
  const { api, check, create } = onnxRuntime();
  const tensorInfo: Out<bigint> = [null];
  check(api.castTypeInfoToTensorInfo(typeInfo, tensorInfo));
  const [info] = tensorInfo;
  if (info === null) return { type: 'other', shape: [] };
  const rank = Number(create<number>((out) => api.getDimensionsCount(info, out)));
  const sizes = new BigInt64Array(rank);
  check(api.getDimensions(info, sizes, rank));
  const type = elementTypeName(create<number>((out) => api.getTensorElementType(info, out)));
  return { type, shape: Array.from(sizes, (size) => (size < 0n ? null : Number(size))) };
}

/** A string that ONNX Runtime allocated, copied and freed. */
function takeString(call: (out: Out<bigint>) => Status): string {
  const { api, check, create, allocator } = onnxRuntime();
  const address = create(call);
  const text = koffi.decode(address, 'char', -1) as string;
  check(api.allocatorFree(allocator, address));
  return text;
}
