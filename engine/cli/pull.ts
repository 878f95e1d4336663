// `millrace pull`: from a name, a path or an address to a model that serves. Also the way the default model is fetched.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OPTIONS, type EngineConfig } from '../config.ts';
import { EngineError } from '../errors.ts';
import { acquireLock } from '../instance-lock.ts';
import { installModel } from '../models/convert/install.ts';
import type { ModelManifest, Precision } from '../models/manifest.ts';
import { openModel } from '../models/readers/open-model.ts';
import type { FetchedModel } from '../models/sources/source.ts';
import { ModelStore, modelIdFrom } from '../models/store/model-store.ts';
import { DEFAULT_PRECISION } from './default-model.ts';
import { fetchSource } from './fetch-source.ts';
import { createProgress, formatBytes } from './progress.ts';

export interface PullFlags {
  readonly name: string | null;
  /** As typed: `int8,fp32`. */
  readonly precision: string | null;
  readonly json: boolean;
}

/** Fetches, converts and installs; progress goes to stderr, what is installed to stdout. */
export async function pull(typed: string, flags: PullFlags, config: EngineConfig): Promise<void> {
  const manifest = await install(typed, flags, config);
  const variants = Object.values(manifest.variants);
  if (flags.json)
    return print(JSON.stringify({ id: manifest.id, defaultVariant: manifest.defaultVariant, variants, source: manifest.source }));
  for (const { name, sizeBytes, method } of variants) print(`Installed ${manifest.id}:${name}  ${formatBytes(sizeBytes)}  ${method}`);
  print(`Ask it: millrace run ${manifest.id} "Hello"`);
}

/** @throws EngineError with the remedy when the source cannot be reached or used; LockHeldError while another pull goes on */
export async function install(typed: string, flags: Omit<PullFlags, 'json'>, config: EngineConfig): Promise<ModelManifest> {
  const precisions = parsePrecisions(flags.precision ?? config.precision ?? DEFAULT_PRECISION);
  const id = flags.name === null ? modelIdFrom(typed) : modelIdFrom(flags.name);
  if (flags.name !== null && id !== flags.name)
    throw new EngineError('invalid_request', `--name must be like ${id}: a-z 0-9 . _ - only.`, { param: '--name' });
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort(new DOMException('Interrupted. The download goes on where it stopped.', 'AbortError'));
  process.once('SIGINT', onInterrupt);
  const lock = acquireLock(join(config.dataDir, 'pull.lock'));
  try {
    await new ModelStore(config.dataDir).sweep();
    const fetched = await fetchWithProgress(typed, config, stop.signal);
    const manifest = await convert({ fetched, id, precisions, config, signal: stop.signal });
    if (fetched.isDownload) await rm(fetched.path, { recursive: true, force: true });
    return manifest;
  } finally {
    process.off('SIGINT', onInterrupt);
    lock.release();
  }
}

function parsePrecisions(typed: string): readonly [Precision, ...Precision[]] {
  const [first, ...rest] = typed.split(',').map((name) => {
    const precision = OPTIONS.precision.parse(name.trim());
    if (precision !== undefined && precision !== null) return precision;
    throw new EngineError('invalid_request', `--precision must be ${OPTIONS.precision.limit}, not ${JSON.stringify(name)}.`, {
      param: '--precision',
    });
  });
  return [first ?? DEFAULT_PRECISION, ...rest];
}

async function fetchWithProgress(typed: string, config: EngineConfig, signal: AbortSignal): Promise<FetchedModel> {
  const progress = createProgress(process.stderr, 'bytes');
  try {
    const onProgress = ({ file, bytesDone, bytesTotal }: { file: string; bytesDone: number; bytesTotal: number | null }): void =>
      progress.update(`Fetching ${file}`, bytesDone, bytesTotal);
    return await fetchSource(typed, { downloadDir: join(config.dataDir, 'downloads'), onProgress, signal });
  } finally {
    progress.end();
  }
}

interface Conversion {
  readonly fetched: FetchedModel;
  readonly id: string;
  readonly precisions: readonly [Precision, ...Precision[]];
  readonly config: EngineConfig;
  readonly signal: AbortSignal;
}

async function convert({ fetched, id, precisions, config, signal }: Conversion): Promise<ModelManifest> {
  const source = openModel(fetched.path);
  const progress = createProgress(process.stderr, 'steps');
  try {
    const onProgress = ({ variant, stepsDone, stepsTotal }: { variant: string; stepsDone: number; stepsTotal: number }): void =>
      progress.update(`Converting to ${variant}`, stepsDone, stepsTotal);
    return await installModel({
      source,
      store: new ModelStore(config.dataDir),
      id,
      precisions,
      origin: fetched.source,
      onProgress,
      signal,
    });
  } finally {
    progress.end();
    source.tensors.dispose();
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
