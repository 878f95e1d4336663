// Owns how V8's heaps of this process are kept small: a server's steady memory counts for more than its allocation speed.
// Knows nothing about what is on them.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The first requests come right after a load and are not to wait for a collection. */
const LOAD_SETTLES_MS = 2000;

/** Keeps the young generation from growing further. By default it grows to 128 MiB under load and stays there; requests a second are
 * the same. Call when all is loaded: a start makes so much that a small one would cost it 60 ms of collections. */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Collects everything and gives free pages back. Stops the thread for some ten ms: only for idle moments. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'major' }) => void;
  // A second collection frees what finalisers of the first let go, and shrinks the young generation.
  collect({ type: 'major' });
  collect({ type: 'major' });
}

/** After a load: what was read and parsed is garbage that a thread with nothing to do would keep for hours. */
export function collectGarbageSoon(): void {
  setTimeout(collectGarbage, LOAD_SETTLES_MS).unref();
}
