// Owns checking a file against the checksum that its source states.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

export interface Checksum {
  /** `git-blob`: SHA-1 over git's object header and the content, as git names files that are not in LFS. */
  readonly kind: 'sha256' | 'git-blob';
  readonly hex: string;
}

export async function matchesChecksum(path: string, checksum: Checksum): Promise<boolean> {
  const actual = checksum.kind === 'sha256' ? await sha256OfFile(path) : await gitBlobOfFile(path);
  return actual === checksum.hex.toLowerCase();
}

/** Lower-case hex. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function gitBlobOfFile(path: string): Promise<string> {
  const hash = createHash('sha1').update(`blob ${(await stat(path)).size}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
