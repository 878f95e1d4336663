// Owns the operating system's calls for anonymous memory behind one interface.
// Linux is what the tests run on; the macOS and Windows forms follow their manuals and have not been run.
import koffi from 'koffi';
import { openLibrary } from './native_library.ts';
import { OrtError } from './ort_error.ts';

type Place = bigint | NodeJS.ArrayBufferView;

export interface SystemMemory {
  readonly pageBytes: number;
  /** Zero-filled memory, committed on first touch. @throws OrtError `SYSTEM` */
  reserve(bytes: number): bigint;
  free(address: bigint, bytes: number): void;
  /** Gives the physical memory of whole pages back; they read as zeros afterwards. @throws OrtError `SYSTEM` */
  decommit(address: bigint, bytes: number): void;
  committedBytes(address: bigint, bytes: number): number;
  /** Gives back what the C library keeps of memory that was freed: a run's tensors leave tens of MiB behind. Some ms; nothing where the
   * C library has no such call. */
  trim(): void;
  /** memmove. */
  move(to: Place, from: Place, bytes: number): void;
}

/** Address of the first byte of a view. Only while the view is reachable; V8 does not move what N-API has handed out. */
export function addressOf(view: NodeJS.ArrayBufferView): bigint {
  if (view.byteLength === 0) return 0n;
  return koffi.address(view.buffer) + BigInt(view.byteOffset);
}

let current: SystemMemory | undefined;

/** The system this process runs on; bound once, since each binding keeps a library open. */
export function systemMemory(): SystemMemory {
  current ??= process.platform === 'win32' ? windowsMemory() : posixMemory(process.platform === 'darwin');
  return current;
}

/** PROT_READ | PROT_WRITE. */
const READ_WRITE = 3;
const MADV_DONTNEED = 4;
const LINUX_MADV_NOHUGEPAGE = 15;
/** MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE. */
const LINUX_MAP = 0x02 | 0x20 | 0x4000;
const DARWIN_MAP = 0x02 | 0x1000 | 0x40;
const MAP_FIXED = 0x10;

type Mmap = (
  ...args: [at: bigint | null, bytes: number, protection: number, flags: number, file: number, offset: number]
) => number | bigint;

function posixMemory(darwin: boolean): SystemMemory {
  const library = openLibrary(darwin ? '/usr/lib/libSystem.B.dylib' : 'libc.so.6');
  const mmap = library.func('mmap', 'intptr', ['void*', 'size_t', 'int', 'int', 'int', 'int64']) as Mmap;
  const munmap = library.func('munmap', 'int', ['void*', 'size_t']) as (address: bigint, bytes: number) => number;
  const madvise = library.func('madvise', 'int', ['void*', 'size_t', 'int']) as (address: bigint, bytes: number, advice: number) => number;
  const mincore = library.func('mincore', 'int', ['void*', 'size_t', 'void*']) as (
    address: bigint,
    bytes: number,
    pages: Uint8Array,
  ) => number;
  const memmove = library.func('memmove', 'void*', ['void*', 'void*', 'size_t']) as SystemMemory['move'];
  const pageBytes = (library.func('getpagesize', 'int', []) as () => number)();
  const trim = trimOf(library, darwin);
  const flags = darwin ? DARWIN_MAP : LINUX_MAP;
  const map = (at: bigint | null, bytes: number): bigint => {
    const address = BigInt(mmap(at, bytes, READ_WRITE, at === null ? flags : flags | MAP_FIXED, -1, 0));
    return address === -1n ? refused(`reserve ${bytes} bytes`) : address;
  };
  return {
    pageBytes,
    reserve: (bytes) => {
      const address = map(null, bytes);
      // A touched byte must cost one page, not 2 MiB. Kernels without huge pages refuse the advice, which is as good.
      if (!darwin) madvise(address, bytes, LINUX_MADV_NOHUGEPAGE);
      return address;
    },
    free: (address, bytes) => void munmap(address, bytes),
    // macOS keeps the contents after MADV_DONTNEED and MADV_FREE is lazy: mapping fresh pages over the old ones is exact.
    decommit: (address, bytes) => {
      if (darwin) map(address, bytes);
      else if (madvise(address, bytes, MADV_DONTNEED) !== 0) refused(`release ${bytes} bytes`);
    },
    committedBytes: (address, bytes) => {
      const pages = new Uint8Array(Math.ceil(bytes / pageBytes));
      if (mincore(address, bytes, pages) !== 0) refused('count committed pages');
      return pageBytes * pages.reduce((sum, page) => sum + (page & 1), 0);
    },
    trim,
    move: memmove,
  };
}

/** glibc's malloc_trim(3), or malloc_zone_pressure_relief of macOS over all zones. musl has neither. */
function trimOf(library: ReturnType<typeof openLibrary>, darwin: boolean): () => void {
  try {
    if (darwin) {
      const relieve = library.func('malloc_zone_pressure_relief', 'size_t', ['void*', 'size_t']) as (zone: null, goal: number) => number;
      return () => void relieve(null, 0);
    }
    const mallocTrim = library.func('malloc_trim', 'int', ['size_t']) as (kept: number) => number;
    return () => void mallocTrim(0);
  } catch {
    return () => {};
  }
}

const MEM_COMMIT_RESERVE = 0x3000;
const MEM_COMMIT = 0x1000;
const MEM_DECOMMIT = 0x4000;
const MEM_RELEASE = 0x8000;
const PAGE_READWRITE = 4;
const WINDOWS_PAGE_BYTES = 4096;

type VirtualAlloc = (at: bigint | null, bytes: number, type: number, protection: number) => bigint | null;

/** Windows commits address space at once (it counts against the page file) but gives physical pages on first touch, as mmap does. */
function windowsMemory(): SystemMemory {
  const kernel = openLibrary('kernel32.dll');
  const virtualAlloc = kernel.func('VirtualAlloc', 'void*', ['void*', 'size_t', 'uint32', 'uint32']) as VirtualAlloc;
  const virtualFree = kernel.func('VirtualFree', 'int', ['void*', 'size_t', 'uint32']) as (
    at: bigint,
    bytes: number,
    type: number,
  ) => number;
  const moveMemory = kernel.func('RtlMoveMemory', 'void', ['void*', 'void*', 'size_t']) as SystemMemory['move'];
  const process_ = (kernel.func('GetCurrentProcess', 'intptr', []) as () => number)();
  const query = kernel.func('K32QueryWorkingSetEx', 'int', ['intptr', 'void*', 'uint32']) as (
    process: number,
    pages: BigUint64Array,
    bytes: number,
  ) => number;
  const allocate = (at: bigint | null, bytes: number, type: number): bigint =>
    virtualAlloc(at, bytes, type, PAGE_READWRITE) ?? refused(`commit ${bytes} bytes`);
  return {
    pageBytes: WINDOWS_PAGE_BYTES,
    reserve: (bytes) => allocate(null, bytes, MEM_COMMIT_RESERVE),
    free: (address) => void virtualFree(address, 0, MEM_RELEASE),
    decommit: (address, bytes) => {
      if (virtualFree(address, bytes, MEM_DECOMMIT) === 0) refused(`release ${bytes} bytes`);
      allocate(address, bytes, MEM_COMMIT);
    },
    committedBytes: (address, bytes) => {
      const entries = workingSetEntries(address, bytes);
      if (query(process_, entries, entries.byteLength) === 0) refused('count committed pages');
      return WINDOWS_PAGE_BYTES * entries.reduce((sum, word, i) => sum + (i % 2 === 1 ? Number(word & 1n) : 0), 0);
    },
    trim: () => {},
    move: moveMemory,
  };
}

/** `PSAPI_WORKING_SET_EX_INFORMATION` for each page: its address, then flags whose lowest bit says that it is in memory. */
function workingSetEntries(address: bigint, bytes: number): BigUint64Array {
  const pages = Math.ceil(bytes / WINDOWS_PAGE_BYTES);
  return BigUint64Array.from({ length: pages * 2 }, (_, i) => (i % 2 === 0 ? address + BigInt((i / 2) * WINDOWS_PAGE_BYTES) : 0n));
}

function refused(what: string): never {
  throw new OrtError('SYSTEM', `The operating system refused to ${what} (error ${koffi.errno()}).`);
}
