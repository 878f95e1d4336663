// `millrace pull`: from a name, a path or an address to a model that serves. Also the way the default model is fetched.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { OPTIONS, type EngineConfig } from '../config.ts';
import { EngineError } from '../errors.ts';
import { acquireLock, LockHeldError, lockOwner, type InstanceLock } from '../instance-lock.ts';
import { installModel } from '../models/convert/install.ts';
import type { ConvertProgress } from '../models/convert/variant.ts';
import { findOnnxFile, installOnnx } from '../models/infer/install-onnx.ts';
import type { EncoderManifest, ModelManifest, Precision } from '../models/manifest.ts';
import { openAnyModel } from '../models/readers/open-model.ts';
import { fetchModel } from '../models/sources/fetch-model.ts';
import { resolveName, type PathKind } from '../models/sources/resolve.ts';
import type { FetchedModel, FetchProgress, SourceSpec } from '../models/sources/source.ts';
import { isModelId, ModelStore } from '../models/store/model-store.ts';
import { DEFAULT_PRECISION } from './default-precision.ts';
import { removeDownload } from './parent-source.ts';
import { createJsonProgress, createProgress, formatBytes, type Progress, type ProgressUnit } from './progress.ts';

export interface PullFlags {
  readonly name: string | null;
  /** As typed: `int8,fp32`. */
  readonly precision: string | null;
  /** Most that is downloaded, MB/s; null: as much as comes. */
  readonly limitMbPerSecond: number | null;
  /** Progress and errors as JSON lines on stderr, what is installed as one on stdout. */
  readonly json: boolean;
}

/** Fetches, converts and installs; progress goes to stderr, what is installed to stdout. */
export async function pull(typed: string, flags: PullFlags, config: EngineConfig): Promise<void> {
  const manifest = await install(typed, flags, config);
  const variants = Object.values(manifest.variants);
  if (flags.json)
    return print(JSON.stringify({ id: manifest.id, defaultVariant: manifest.defaultVariant, variants, source: manifest.source }));
  for (const { name, sizeBytes, method } of variants) print(`Installed ${manifest.id}:${name}  ${formatBytes(sizeBytes)}  ${method}`);
  print(useOf(manifest));
}

function useOf(manifest: ModelManifest): string {
  const { id } = manifest;
  if (manifest.kind === 'infer')
    return `Use it: millrace serve, then POST /v1/infer/${id} or /v2/models/${id}/infer; GET /v2/models/${id} tells what it takes`;
  return manifest.kind === 'encoder' ? useOfEncoder(manifest) : `Ask it: millrace run ${id} "Hello"`;
}

/** Where requests for it go, once it is served. */
function useOfEncoder({ id, config: { head } }: EncoderManifest): string {
  const path = head.kind === 'embedding' ? '/v1/embeddings' : head.labels.length === 1 ? '/v1/rerank' : '/v1/classify';
  return `Use it: millrace serve, then POST ${path} with "model": "${id}"`;
}

/** @throws EngineError with the remedy when the source cannot be reached or used; LockHeldError while another pull goes on */
export async function install(typed: string, flags: PullFlags, config: EngineConfig): Promise<ModelManifest> {
  const wanted = parsePrecisions(flags.precision ?? config.precision ?? DEFAULT_PRECISION);
  const resolved = resolveName(typed, pathKind);
  const id = flags.name ?? resolved.id;
  if (!isModelId(id)) throw badName(id);
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort(new DOMException('Interrupted. The download goes on where it stopped.', 'AbortError'));
  const locks = lockPull(config.dataDir, id, resolved.sources);
  process.once('SIGINT', onInterrupt);
  // An engine that started this process closes the channel to end it, and by its own end.
  process.once('disconnect', onInterrupt);
  if (process.connected === false) onInterrupt();
  try {
    const store = new ModelStore(config.dataDir);
    await store.sweep((other) => other !== id && lockOwner(pullLockPath(config.dataDir, other)) !== null);
    const precisions = await withInstalled(store, id, wanted);
    const shown = (unit: ProgressUnit): Progress =>
      flags.json ? createJsonProgress(process.stderr, unit) : createProgress(process.stderr, unit);
    const fetched = await fetchWithProgress(resolved.sources, {
      config,
      signal: stop.signal,
      limitMbPerSecond: flags.limitMbPerSecond,
      progress: shown('bytes'),
    });
    const manifest = await convert({ fetched, id, precisions, store, signal: stop.signal, progress: shown('steps') });
    if (fetched.isDownload) await removeDownload(fetched.path);
    return manifest;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('disconnect', onInterrupt);
    for (const lock of locks) lock.release();
  }
}

/** The lock under which a model's files are made. */
export function pullLockPath(dataDir: string, name: string): string {
  return join(dataDir, `pull-${name}.lock`);
}

/** Several models may be pulled at once; one model, or one download that two names share, only once. @throws LockHeldError */
function lockPull(dataDir: string, id: string, sources: readonly SourceSpec[]): readonly InstanceLock[] {
  const shared = sources.flatMap((source) => (source.kind === 'hub' ? [`hub--${source.repo.replace('/', '--')}`] : []));
  const held: InstanceLock[] = [];
  try {
    for (const name of [id, ...shared]) held.push(acquireLock(pullLockPath(dataDir, name)));
    return held;
  } catch (cause) {
    for (const lock of held) lock.release();
    if (!(cause instanceof LockHeldError)) throw cause;
    throw new LockHeldError(`The process ${cause.owner.pid} pulls ${id} already.`, cause.owner);
  }
}

/** A model that is pulled again keeps the precisions it had. */
async function withInstalled(
  store: ModelStore,
  id: string,
  wanted: readonly [Precision, ...Precision[]],
): Promise<readonly [Precision, ...Precision[]]> {
  const installed = (await store.list()).find((model) => model.id === id);
  const had = installed?.kind === 'ready' ? Object.values(installed.manifest.variants).map(({ precision }) => precision) : [];
  const [first, ...rest] = wanted;
  return [first, ...new Set([...rest, ...had].filter((precision) => precision !== first))];
}

function badName(name: string): EngineError {
  const rule = 'up to 96 of a-z 0-9 . _ - beginning with a letter or a digit';
  return new EngineError('invalid_request', `--name must be ${rule}, not ${JSON.stringify(name)}.`, { param: '--name' });
}

function pathKind(path: string): PathKind {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'nothing';
  return stat.isDirectory() ? 'folder' : 'file';
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

interface Fetching extends Pick<PullFlags, 'limitMbPerSecond'> {
  readonly config: EngineConfig;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function fetchWithProgress(
  sources: readonly SourceSpec[],
  { config, signal, limitMbPerSecond, progress }: Fetching,
): Promise<FetchedModel> {
  try {
    const onProgress = ({ file, bytesDone, bytesTotal }: FetchProgress): void => progress.update(`Fetching ${file}`, bytesDone, bytesTotal);
    const limit = limitMbPerSecond === null ? {} : { bytesPerSecond: limitMbPerSecond * 1e6 };
    return await fetchModel(sources, { downloadDir: join(config.dataDir, 'downloads'), onProgress, signal, ...limit });
  } finally {
    progress.end();
  }
}

interface Conversion {
  readonly fetched: FetchedModel;
  readonly id: string;
  readonly precisions: readonly [Precision, ...Precision[]];
  readonly store: ModelStore;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function convert({ fetched, id, precisions, store, signal, progress }: Conversion): Promise<ModelManifest> {
  const onnx = findOnnxFile(fetched.path);
  if (onnx !== null) return installOnnx({ path: onnx, store, id, origin: fetched.source, signal });
  const source = openAnyModel(fetched.path);
  try {
    const onProgress = ({ variant, stepsDone, stepsTotal }: ConvertProgress): void =>
      // Before the first step the source may be measured for a while, which says nothing about the steps' speed.
      progress.update(`${stepsDone === 0 ? 'Preparing' : 'Converting to'} ${variant}`, stepsDone, stepsTotal);
    return await installModel({
      source,
      store,
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
