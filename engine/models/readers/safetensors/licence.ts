// Owns finding the licence that a model card states.
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** The `license` field of a model card's front matter. */
export function licenceOf(folder: string): string | null {
  const path = join(folder, 'README.md');
  if (!existsSync(path)) return null;
  const head = Buffer.alloc(4_096);
  const fd = openSync(path, 'r');
  try {
    const length = readSync(fd, head, 0, head.length, 0);
    return /^license:\s*['"]?([A-Za-z0-9._-]+)/m.exec(head.toString('utf8', 0, length))?.[1] ?? null;
  } finally {
    closeSync(fd);
  }
}
