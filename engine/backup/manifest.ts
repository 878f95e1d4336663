// Owns the list of a backup's files, by which a restore knows that it is whole and unchanged.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../errors.ts';

export interface BackupFile {
  /** Within the folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface BackupManifest {
  readonly format: 1;
  /** Of the program that wrote it. */
  readonly version: string;
  readonly createdAt: string;
  readonly files: readonly BackupFile[];
}

export const MANIFEST_FILE = 'millrace-backup.json';

export async function describeFile(folder: string, path: string): Promise<BackupFile> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(join(folder, path)), hash);
  const { size } = await stat(join(folder, path));
  return { path: path.split(sep).join('/'), bytes: size, sha256: hash.digest('hex') };
}

/** @throws EngineError `invalid_request` when the folder holds no backup, or one whose files are missing or changed */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const text = await readFile(join(folder, MANIFEST_FILE), 'utf8').catch(() => null);
  if (text === null) throw new EngineError('invalid_request', `${folder} holds no backup: it has no ${MANIFEST_FILE}.`);
  const manifest = parseManifest(text);
  if (manifest === null)
    throw new EngineError(
      'invalid_request',
      `${join(folder, MANIFEST_FILE)} cannot be read: another version has written it, or it is damaged.`,
    );
  for (const file of manifest.files) await checkFile(folder, file);
  return manifest;
}

function parseManifest(text: string): BackupManifest | null {
  try {
    const { format, version, createdAt, files } = JSON.parse(text) as Partial<Record<keyof BackupManifest, unknown>>;
    if (format !== 1 || typeof version !== 'string' || typeof createdAt !== 'string' || !Array.isArray(files)) return null;
    return files.every(isBackupFile) ? { format, version, createdAt, files } : null;
  } catch {
    return null;
  }
}

function isBackupFile(value: unknown): value is BackupFile {
  if (typeof value !== 'object' || value === null) return false;
  const { path, bytes, sha256 } = value as Partial<Record<keyof BackupFile, unknown>>;
  return typeof path === 'string' && isInside(path) && typeof bytes === 'number' && typeof sha256 === 'string';
}

/** A list that somebody wrote may not reach out of the folder. */
function isInside(path: string): boolean {
  const parts = normalize(path).split(/[/\\]/);
  return path !== '' && !isAbsolute(path) && !/^[A-Za-z]:/.test(path) && !parts.includes('..');
}

async function checkFile(folder: string, { path, sha256 }: BackupFile): Promise<void> {
  const found = await describeFile(folder, path).catch(() => null);
  if (found === null) throw new EngineError('invalid_request', `The backup is not whole: ${path} is missing.`);
  if (found.sha256 !== sha256) throw new EngineError('invalid_request', `The backup is damaged: ${path} is not what was written.`);
}
