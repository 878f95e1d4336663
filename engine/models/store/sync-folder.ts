// Owns making a rename durable. Knows nothing about models.
import { open } from 'node:fs/promises';

/** Flushes a folder's entries to disk; on Windows a folder cannot be opened for that, and the rename is journaled already. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
