// Owns ONNX Runtime as loaded into this process: the library, its function table, and the one environment that sessions share.
// Knows nothing about models.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import koffi from 'koffi';
import type { LibraryHandle, TypeObject } from 'koffi';
import { bindCApi } from './c_api.ts';
import type { CApi, Out, Status } from './c_api.ts';
import { onnxRuntimeLibraryPath } from './library_path.ts';
import { openLibrary } from './native_library.ts';
import { nativeCodeName, OrtError } from './ort_error.ts';

/** `OrtLoggingLevel`: errors only. */
const LOG_ERRORS = 3;
/** `OrtDeviceAllocator` and `OrtMemTypeDefault`. */
const DEVICE_ALLOCATOR = 0;
const MEMORY_DEFAULT = 0;
/** The place of most functions in the API table belongs to the major version. */
const SUPPORTED_MAJOR = 1;

export interface OnnxRuntime {
  readonly api: CApi;
  /** Version of the loaded library, as "1.30.0". */
  readonly version: string;
  /** `OrtEnv*`, kept for the life of the process. */
  readonly env: bigint;
  /** `OrtMemoryInfo*` of ordinary memory. */
  readonly cpuMemory: bigint;
  /** `OrtAllocator*` for strings that ONNX Runtime hands out; never released. */
  readonly allocator: bigint;
  /** Turns a status into an exception and releases it. @throws OrtError with ONNX Runtime's code and message */
  readonly check: (status: Status) => void;
  /** Calls a function that creates something and returns what it created. @throws OrtError */
  readonly create: <T>(call: (out: Out<T>) => Status) => T;
}

let loaded: OnnxRuntime | undefined;

/**
 * ONNX Runtime, loaded at the first call. It is a fact of the process and not of a caller: a library cannot be unloaded while
 * anything it made is alive, and it allows one environment.
 * @throws OrtError `PLATFORM` when this machine has no library or it has another major version
 */
export function onnxRuntime(): OnnxRuntime {
  loaded ??= load(installedLibraryPath());
  return loaded;
}

function installedLibraryPath(): string {
  const packageFile = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const { platform, arch } = process;
  return onnxRuntimeLibraryPath({
    platform,
    arch,
    packageDir: dirname(packageFile),
    ...(platform === 'linux' ? { libc: linuxLibc() } : {}),
  });
}

/** On the CPU GroupQueryAttention's flash form is the slower one: a decode step takes 10 to 25% longer, a prefill chunk the same.
 * Kernels read the variable when a session is made; whoever sets it otherwise keeps their choice. */
function preferMatrixAttention(): void {
  process.env['ORT_GQA_DISABLE_FLASH_ATTENTION'] ??= '1';
}

function linuxLibc(): 'glibc' | 'musl' {
  // Or the report looks up the names of all open connections.
  Object.assign(process.report, { excludeNetwork: true });
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

function load(path: string): OnnxRuntime {
  preferMatrixAttention();
  const handle = openOrExplain(path);
  const base: unknown = handle.func('OrtGetApiBase', 'void*', [])();
  const version = apiBaseFunction<() => string>(base, 1, koffi.proto('str', []))();
  const table = apiBaseFunction<(apiVersion: number) => bigint | null>(base, 0, koffi.proto('void*', ['uint32']))(apiVersionOf(version));
  if (table === null) throw new OrtError('PLATFORM', `ONNX Runtime ${version} does not offer the interface of its own version.`);
  const api = bindCApi(table);
  const calls = checkedCalls(api);
  return {
    api,
    version,
    ...calls,
    env: calls.create((out) => api.createEnv(LOG_ERRORS, 'millrace', out)),
    cpuMemory: calls.create((out) => api.createCpuMemoryInfo(DEVICE_ALLOCATOR, MEMORY_DEFAULT, out)),
    allocator: calls.create((out) => api.getAllocatorWithDefaultOptions(out)),
  };
}

function openOrExplain(path: string): LibraryHandle {
  try {
    return openLibrary(path);
  } catch (error) {
    throw new OrtError(
      'PLATFORM',
      `ONNX Runtime could not be loaded from ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** `OrtApiBase` is two function pointers: GetApi and GetVersionString. */
function apiBaseFunction<F>(base: unknown, place: number, prototype: TypeObject): F {
  const address: unknown = koffi.decode(base, place * koffi.sizeof('void*'), 'void*');
  return koffi.decode(address, prototype) as F;
}

/**
 * Version of the API table that a library of this version offers: its minor version.
 * @throws OrtError `PLATFORM` for another major version, whose table may have other places
 */
export function apiVersionOf(libraryVersion: string): number {
  const [major, minor] = libraryVersion.split('.').map(Number);
  if (major !== SUPPORTED_MAJOR || minor === undefined || !Number.isInteger(minor)) {
    throw new OrtError('PLATFORM', `ONNX Runtime ${libraryVersion} is not supported: version ${SUPPORTED_MAJOR}.x is.`);
  }
  return minor;
}

/** `check` and `create` on top of the three functions that read a status. */
export function checkedCalls(api: Pick<CApi, 'getErrorCode' | 'getErrorMessage' | 'releaseStatus'>): Pick<OnnxRuntime, 'check' | 'create'> {
  const check = (status: Status): void => {
    if (status === null) return;
    const error = new OrtError(nativeCodeName(api.getErrorCode(status)), api.getErrorMessage(status));
    api.releaseStatus(status);
    throw error;
  };
  const create = <T>(call: (out: Out<T>) => Status): T => {
    const out: Out<T> = [null];
    check(call(out));
    const [created] = out;
    if (created === null) throw new OrtError('FAIL', 'ONNX Runtime reported success and returned nothing.');
    return created;
  };
  return { check, create };
}
