// Owns the folder of uploaded files: their bytes arrive in drafts, and a whole one gets its name by one rename.
// Knows nothing about what files hold or whose they are.
import { randomUUID } from 'node:crypto';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { ReceivedFile } from './batch-control.ts';

/** Of one file, as OpenAI's limit for batches. */
export const MOST_FILE_BYTES = 200 * 1000 * 1000;
const DRAFT = '.partial';

export class FileFolder {
  readonly #path: string;
  readonly #mostBytes: number;
  /** What lay here before anything was received. */
  readonly #found: readonly string[];

  constructor(path: string, mostBytes = MOST_FILE_BYTES) {
    this.#path = path;
    this.#mostBytes = mostBytes;
    this.#found = existsSync(path) ? readdirSync(path) : [];
  }

  /** Nothing is left of a source that fails or is too long.
   *  @throws EngineError `body_too_large`, `insufficient_storage`; what the source throws */
  async receive(source: AsyncIterable<Uint8Array>): Promise<ReceivedFile> {
    await mkdir(this.#path, { recursive: true });
    const path = join(this.#path, `${randomUUID()}${DRAFT}`);
    try {
      await using file = await open(path, 'wx', 0o600);
      return { path, bytes: await this.#write(file, source) };
    } catch (cause) {
      await rm(path, { force: true });
      throw fullDisk(cause);
    }
  }

  async discard({ path }: ReceivedFile): Promise<void> {
    await rm(path, { force: true });
  }

  async adopt({ path }: ReceivedFile, id: string): Promise<void> {
    await rename(path, this.pathOf(id));
    await syncFolder(this.#path);
  }

  pathOf(id: string): string {
    return join(this.#path, id);
  }

  read(id: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.pathOf(id));
  }

  async remove(id: string): Promise<void> {
    await rm(this.pathOf(id), { force: true });
  }

  /** Removes drafts of an earlier run, and files that nobody knows. */
  async sweep(known: readonly string[]): Promise<void> {
    const kept = new Set(known);
    for (const name of this.#found) if (!kept.has(name)) await rm(join(this.#path, name), { force: true });
  }

  /** Whether the file is still there. */
  async has(id: string): Promise<boolean> {
    return stat(this.pathOf(id)).then(
      () => true,
      () => false,
    );
  }

  async #write(file: FileHandle, source: AsyncIterable<Uint8Array>): Promise<number> {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.byteLength;
      if (bytes > this.#mostBytes) {
        throw new EngineError('body_too_large', `A file has at most ${this.#mostBytes} bytes.`, { param: 'file' });
      }
      await file.write(chunk);
    }
    await file.sync();
    return bytes;
  }
}

function fullDisk(cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return cause;
  return new EngineError('insufficient_storage', 'The disk is full, and the file was not kept: free some space.', { cause });
}

/** So that the new name outlives a power loss. Windows has no such call for folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using folder = await open(path, 'r');
  await folder.sync();
}
