// Owns how a data folder is copied into a backup, while its engine runs or not. It appears whole or not at all.
import { randomUUID } from 'node:crypto';
import { copyFile, cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EngineError } from '../errors.ts';
import { copyDatabase } from '../ledger/store/copy-database.ts';
import { entryKind, type EntryKind } from './contents.ts';
import { describeFile, MANIFEST_FILE, type BackupManifest } from './manifest.ts';

interface Entry {
  readonly name: string;
  readonly kind: EntryKind;
}

/** Databases first: what they name is then in the folders that are copied after them. */
const ORDER: readonly EntryKind[] = ['database', 'file', 'folder'];

/** Copies the state of `dataDir` into the new folder `target`, which only its owner can read: it holds keys.
 *  @throws EngineError `invalid_request` when `target` is there already or there is nothing to copy */
export async function writeBackup(dataDir: string, target: string, version: string): Promise<BackupManifest> {
  const entries = await entriesOf(dataDir);
  if (entries.length === 0) throw new EngineError('invalid_request', `There is nothing to back up in ${dataDir}.`);
  await refuseExisting(target);
  const draft = join(dirname(resolve(target)), `.${basename(target)}.partial-${randomUUID()}`);
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    for (const entry of entries) await copyEntry(entry, dataDir, draft);
    const manifest = await describeFolder(draft, version);
    await writeFile(join(draft, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
    await rename(draft, target);
    return manifest;
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    throw cause;
  }
}

async function entriesOf(dataDir: string): Promise<readonly Entry[]> {
  const found = await readdir(dataDir, { withFileTypes: true }).catch(() => []);
  const entries = found.flatMap((entry): Entry[] => {
    const kind = entry.isFile() || entry.isDirectory() ? entryKind(entry.name, entry.isDirectory()) : null;
    return kind === null ? [] : [{ name: entry.name, kind }];
  });
  return entries.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

async function refuseExisting(target: string): Promise<void> {
  const there = await readdir(target).catch((cause: NodeJS.ErrnoException) => (cause.code === 'ENOENT' ? null : cause));
  if (there !== null) throw new EngineError('invalid_request', `${target} is there already; name a folder that is not.`);
}

async function copyEntry({ name, kind }: Entry, dataDir: string, draft: string): Promise<void> {
  const [from, to] = [join(dataDir, name), join(draft, name)];
  if (kind === 'database') return copyDatabase(from, to);
  if (kind === 'file') return copyFile(from, to);
  await cp(from, to, { recursive: true, filter: (path) => path === from || entryKind(basename(path), false) !== null });
}

async function describeFolder(folder: string, version: string): Promise<BackupManifest> {
  const found = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const files = await Promise.all(paths.toSorted().map((path) => describeFile(folder, path)));
  return { format: 1, version, createdAt: new Date().toISOString(), files };
}
