// `millrace backup` and `millrace restore`: the state of a data folder, to and from a folder elsewhere.
import { restoreBackup } from '../backup/restore-backup.ts';
import { writeBackup } from '../backup/write-backup.ts';
import type { BackupManifest } from '../backup/manifest.ts';
import { engineVersion } from '../main.ts';

/** @throws EngineError `invalid_request` */
export async function backup(dataDir: string, target: string, json: boolean): Promise<void> {
  const manifest = await writeBackup(dataDir, target, engineVersion());
  if (json) return print(JSON.stringify({ folder: target, ...sizeOf(manifest) }));
  print(`${told(manifest)} are backed up in ${target}. It holds keys: keep it where only you can read it.`);
}

/** @throws LockHeldError while a server runs; EngineError `invalid_request` */
export async function restore(dataDir: string, source: string, json: boolean): Promise<void> {
  const { manifest, setAside } = await restoreBackup(dataDir, source, Date.now());
  if (json) return print(JSON.stringify({ folder: dataDir, createdAt: manifest.createdAt, setAside, ...sizeOf(manifest) }));
  print(`${told(manifest)} of ${manifest.createdAt} are restored into ${dataDir}.`);
  if (setAside !== null) print(`What was there before is in ${setAside}; remove it when all is well.`);
}

function sizeOf({ files }: BackupManifest): { readonly files: number; readonly bytes: number } {
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function told(manifest: BackupManifest): string {
  const { files, bytes } = sizeOf(manifest);
  return `${files} files (${(bytes / 2 ** 20).toFixed(1)} MiB)`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
