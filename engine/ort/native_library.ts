// Owns the shared libraries that are open in this process. Knows nothing about what is in them.
import koffi from 'koffi';
import type { LibraryHandle } from 'koffi';

/** Of a thread that makes an asynchronous call: koffi's own 128 KiB are few for a library that recurses over graphs. */
const CALL_STACK_BYTES = 1024 * 1024;

/**
 * NOTE: koffi closes a library when its handle is collected, and the next call into it then crashes the process. Hence they stay here
 * for as long as the process lives.
 */
const open = new Map<string, LibraryHandle>();

/** Opens a library by path or by name; the same one again is the same handle. */
export function openLibrary(path: string): LibraryHandle {
  const known = open.get(path);
  if (known !== undefined) return known;
  // Must precede the first library of the process.
  if (koffi.config().async_stack_size !== CALL_STACK_BYTES) koffi.config({ async_stack_size: CALL_STACK_BYTES });
  const handle = koffi.load(path);
  open.set(path, handle);
  return handle;
}
