// The page as users get it: built once for each state of its sources, and kept in the test cache.
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';
import { cachedFolder } from '../cache.ts';
import { testCacheDir } from '../models.ts';

const ROOT = join(import.meta.dirname, '../..');
const PREFIX = 'console-page-';

/** The folder with the built page. */
export async function builtPage(): Promise<string> {
  const name = `${PREFIX}${await sourceHash()}`;
  const folder = await cachedFolder(name, async (outDir) => {
    await asUsersGetIt(() => build({ root: join(ROOT, 'renderer'), logLevel: 'error', build: { outDir, emptyOutDir: true } }));
  });
  await removeOld(folder);
  return folder;
}

/** Vitest's own NODE_ENV would put React's development build into the page. */
async function asUsersGetIt(make: () => Promise<unknown>): Promise<void> {
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    await make();
  } finally {
    if (before === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = before;
  }
}

const KEEP_MS = 3_600_000;

/** Removes pages of earlier sources, unless a run beside this one may still serve them. */
async function removeOld(except: string): Promise<void> {
  for (const name of (await readdir(testCacheDir())).filter((entry) => entry.startsWith(PREFIX))) {
    const path = join(testCacheDir(), name);
    const made = await stat(path).catch(() => null);
    if (path !== except && made !== null && Date.now() - made.mtimeMs > KEEP_MS) await rm(path, { recursive: true, force: true });
  }
}

/** Over the page's own files, what it shares with the engine, and the versions of its dependencies. */
async function sourceHash(): Promise<string> {
  const hash = createHash('sha256');
  const files = [...(await filesOf('renderer')), ...(await filesOf('engine/contract')), join(ROOT, 'package-lock.json')];
  for (const file of files) hash.update(file).update(await readFile(file));
  return hash.digest('hex').slice(0, 12);
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.filter((path) => !path.startsWith(join(ROOT, 'renderer/dist'))).sort();
}
