// Owns the question whether a volume has room, asked before a download and not after it filled the disk.
import { statfs } from 'node:fs/promises';
import { EngineError } from '../../errors.ts';

/** Left free for everything else on the volume. */
const RESERVE_BYTES = 256 << 20;

/** Throws `insufficient_storage` when the folder's volume has less than this and a reserve. */
export async function requireFreeSpace(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes + RESERVE_BYTES) return;
  throw new EngineError(
    'insufficient_storage',
    `${gigabytes(neededBytes + RESERVE_BYTES)} are needed in ${folder}, ${gigabytes(freeBytes)} are free.`,
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
