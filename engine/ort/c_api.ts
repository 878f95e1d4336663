// Owns the typed surface of ONNX Runtime's C API: one entry for each function that this room calls.
// Signatures: onnxruntime_c_api.h. Knows nothing about sessions or tensors as objects.
import koffi from 'koffi';
import places from './c_api_index.json' with { type: 'json' };

/** A pending `OrtStatus*`, which must be read and released; null means success. */
export type Status = bigint | null;
/** Filled by the callee. */
export type Out<T> = [T | null];

type Release = (object: bigint) => void;
/** `Run`: session, run options, input names, input values, their count, output names, their count, output values. */
export type RunArguments = [bigint, bigint | null, bigint, bigint, number, bigint, number, bigint];

export interface CApi {
  readonly getErrorCode: (status: bigint) => number;
  readonly getErrorMessage: (status: bigint) => string;
  readonly createEnv: (logLevel: number, logId: string, out: Out<bigint>) => Status;
  readonly createSessionOptions: (out: Out<bigint>) => Status;
  readonly setIntraOpNumThreads: (options: bigint, threads: number) => Status;
  readonly setInterOpNumThreads: (options: bigint, threads: number) => Status;
  readonly setSessionGraphOptimizationLevel: (options: bigint, level: number) => Status;
  readonly addSessionConfigEntry: (options: bigint, key: string, value: string) => Status;
  readonly enableProfiling: (options: bigint, filePrefix: string) => Status;
  readonly appendExecutionProvider: (
    ...args: [options: bigint, name: string, keys: BigUint64Array, values: BigUint64Array, count: number]
  ) => Status;
  readonly createSession: (env: bigint, path: string, options: bigint, out: Out<bigint>) => Status;
  readonly sessionEndProfiling: (session: bigint, allocator: bigint, out: Out<bigint>) => Status;
  readonly sessionGetInputCount: (session: bigint, out: Out<number>) => Status;
  readonly sessionGetOutputCount: (session: bigint, out: Out<number>) => Status;
  readonly sessionGetInputName: (session: bigint, index: number, allocator: bigint, out: Out<bigint>) => Status;
  readonly sessionGetOutputName: (session: bigint, index: number, allocator: bigint, out: Out<bigint>) => Status;
  readonly sessionGetInputTypeInfo: (session: bigint, index: number, out: Out<bigint>) => Status;
  readonly sessionGetOutputTypeInfo: (session: bigint, index: number, out: Out<bigint>) => Status;
  readonly castTypeInfoToTensorInfo: (typeInfo: bigint, out: Out<bigint>) => Status;
  readonly getTensorElementType: (tensorInfo: bigint, out: Out<number>) => Status;
  readonly getDimensionsCount: (tensorInfo: bigint, out: Out<number>) => Status;
  readonly getDimensions: (tensorInfo: bigint, dimensions: BigInt64Array, count: number) => Status;
  readonly getTensorMutableData: (value: bigint, out: Out<bigint>) => Status;
  readonly getTensorTypeAndShape: (value: bigint, out: Out<bigint>) => Status;
  readonly getAllocatorWithDefaultOptions: (out: Out<bigint>) => Status;
  readonly allocatorFree: (allocator: bigint, memory: bigint) => Status;
  readonly createCpuMemoryInfo: (allocatorType: number, memoryType: number, out: Out<bigint>) => Status;
  readonly createTensorWithData: (
    ...args: [memoryInfo: bigint, data: bigint | null, bytes: number, shape: BigInt64Array, rank: number, type: number, out: Out<bigint>]
  ) => Status;
  readonly createRunOptions: (out: Out<bigint>) => Status;
  readonly runOptionsSetTerminate: (options: bigint) => Status;
  readonly runOptionsUnsetTerminate: (options: bigint) => Status;
  readonly addRunConfigEntry: (options: bigint, key: string, value: string) => Status;
  readonly run: ((...args: RunArguments) => Status) & {
    readonly async: (...args: [...RunArguments, (error: Error | null, status: Status) => void]) => void;
  };
  readonly releaseStatus: Release;
  readonly releaseSessionOptions: Release;
  readonly releaseSession: Release;
  readonly releaseTypeInfo: Release;
  readonly releaseTensorTypeAndShape: Release;
  readonly releaseValue: Release;
  readonly releaseRunOptions: Release;
}

type Types = Parameters<typeof koffi.sizeof>[0][];
type Signature = readonly [name: keyof typeof places, args: Types, result?: string];

const HANDLE = 'void*';
const OUT_HANDLE = koffi.out(koffi.pointer('void*'));
const OUT_SIZE = koffi.out(koffi.pointer('size_t'));
const OUT_INT = koffi.out(koffi.pointer('int'));
/** `ORTCHAR_T*`: paths are UTF-16 on Windows. */
const PATH = process.platform === 'win32' ? 'str16' : 'str';

/** The result is an `OrtStatus*` unless it is named. */
const SIGNATURES: Readonly<Record<keyof CApi, Signature>> = {
  getErrorCode: ['GetErrorCode', [HANDLE], 'int'],
  getErrorMessage: ['GetErrorMessage', [HANDLE], 'str'],
  createEnv: ['CreateEnv', ['int', 'str', OUT_HANDLE]],
  createSessionOptions: ['CreateSessionOptions', [OUT_HANDLE]],
  setIntraOpNumThreads: ['SetIntraOpNumThreads', [HANDLE, 'int']],
  setInterOpNumThreads: ['SetInterOpNumThreads', [HANDLE, 'int']],
  setSessionGraphOptimizationLevel: ['SetSessionGraphOptimizationLevel', [HANDLE, 'int']],
  addSessionConfigEntry: ['AddSessionConfigEntry', [HANDLE, 'str', 'str']],
  enableProfiling: ['EnableProfiling', [HANDLE, PATH]],
  appendExecutionProvider: ['SessionOptionsAppendExecutionProvider', [HANDLE, 'str', HANDLE, HANDLE, 'size_t']],
  createSession: ['CreateSession', [HANDLE, PATH, HANDLE, OUT_HANDLE]],
  sessionEndProfiling: ['SessionEndProfiling', [HANDLE, HANDLE, OUT_HANDLE]],
  sessionGetInputCount: ['SessionGetInputCount', [HANDLE, OUT_SIZE]],
  sessionGetOutputCount: ['SessionGetOutputCount', [HANDLE, OUT_SIZE]],
  sessionGetInputName: ['SessionGetInputName', [HANDLE, 'size_t', HANDLE, OUT_HANDLE]],
  sessionGetOutputName: ['SessionGetOutputName', [HANDLE, 'size_t', HANDLE, OUT_HANDLE]],
  sessionGetInputTypeInfo: ['SessionGetInputTypeInfo', [HANDLE, 'size_t', OUT_HANDLE]],
  sessionGetOutputTypeInfo: ['SessionGetOutputTypeInfo', [HANDLE, 'size_t', OUT_HANDLE]],
  castTypeInfoToTensorInfo: ['CastTypeInfoToTensorInfo', [HANDLE, OUT_HANDLE]],
  getTensorElementType: ['GetTensorElementType', [HANDLE, OUT_INT]],
  getDimensionsCount: ['GetDimensionsCount', [HANDLE, OUT_SIZE]],
  getDimensions: ['GetDimensions', [HANDLE, HANDLE, 'size_t']],
  getTensorMutableData: ['GetTensorMutableData', [HANDLE, OUT_HANDLE]],
  getTensorTypeAndShape: ['GetTensorTypeAndShape', [HANDLE, OUT_HANDLE]],
  getAllocatorWithDefaultOptions: ['GetAllocatorWithDefaultOptions', [OUT_HANDLE]],
  allocatorFree: ['AllocatorFree', [HANDLE, HANDLE]],
  createCpuMemoryInfo: ['CreateCpuMemoryInfo', ['int', 'int', OUT_HANDLE]],
  createTensorWithData: ['CreateTensorWithDataAsOrtValue', [HANDLE, HANDLE, 'size_t', HANDLE, 'size_t', 'int', OUT_HANDLE]],
  createRunOptions: ['CreateRunOptions', [OUT_HANDLE]],
  runOptionsSetTerminate: ['RunOptionsSetTerminate', [HANDLE]],
  runOptionsUnsetTerminate: ['RunOptionsUnsetTerminate', [HANDLE]],
  addRunConfigEntry: ['AddRunConfigEntry', [HANDLE, 'str', 'str']],
  run: ['Run', [HANDLE, HANDLE, HANDLE, HANDLE, 'size_t', HANDLE, 'size_t', HANDLE]],
  releaseStatus: ['ReleaseStatus', [HANDLE], 'void'],
  releaseSessionOptions: ['ReleaseSessionOptions', [HANDLE], 'void'],
  releaseSession: ['ReleaseSession', [HANDLE], 'void'],
  releaseTypeInfo: ['ReleaseTypeInfo', [HANDLE], 'void'],
  releaseTensorTypeAndShape: ['ReleaseTensorTypeAndShapeInfo', [HANDLE], 'void'],
  releaseValue: ['ReleaseValue', [HANDLE], 'void'],
  releaseRunOptions: ['ReleaseRunOptions', [HANDLE], 'void'],
};

/** The functions behind an `OrtApi*`, which is a table of function pointers. */
export function bindCApi(table: bigint): CApi {
  const bound = Object.entries(SIGNATURES).map(([key, [name, args, result]]) => {
    const address: unknown = koffi.decode(table, places[name] * koffi.sizeof(HANDLE), HANDLE);
    return [key, koffi.decode(address, koffi.proto(result ?? HANDLE, args))] as const;
  });
  return Object.fromEntries(bound) as CApi;
}
