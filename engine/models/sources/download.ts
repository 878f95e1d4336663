// Owns one file's way over HTTP: resumed from `.partial`, retried when cut, checked, flushed and renamed at the end.
// What has the final name is whole. Knows nothing about hubs or models.
import { mkdir, open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../errors.ts';
import { syncFolder } from '../store/sync-folder.ts';
import { matchesChecksum, type Checksum } from './checksum.ts';
import { requireFreeSpace } from './disk-space.ts';
import { faultOfNetwork, faultOfStatus, placeInFile, type DownloadFault } from './http-reply.ts';
import { waitForRate } from './rate-limit.ts';

export interface Download {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Final path; `.partial` and `.partial.etag` stand beside it meanwhile. */
  readonly target: string;
  /** Null when the source does not say. */
  readonly sizeBytes: number | null;
  readonly checksum: Checksum | null;
}

export interface DownloadOptions {
  readonly onBytes?: (bytesDone: number, bytesTotal: number | null) => void;
  readonly signal?: AbortSignal;
  /** Wait before the first retry; it doubles with each attempt that brought nothing. */
  readonly retryDelayMs?: number;
  /** A connection that brings nothing for so long is given up and retried. */
  readonly stallMs?: number;
  /** Most that is read on average; without it, as much as comes. */
  readonly bytesPerSecond?: number;
  /** Waits, in ms; for tests. */
  readonly wait?: (ms: number) => Promise<void>;
}

/** Attempts in a row that bring no byte. */
const MAX_FRUITLESS = 5;
const RETRY_DELAY_MS = 500;
const STALL_MS = 60_000;
/** Longest piece of a wait that keeps the rate. */
const WAIT_MS = 1_000;

/**
 * Throws `source_unreachable` (with the remedy for 401, 403, 404), `model_file_invalid` for a wrong checksum or length,
 * `insufficient_storage`, and the signal's reason. The partial file stays for the next attempt unless its content is wrong.
 */
export async function download(job: Download, options: DownloadOptions = {}): Promise<void> {
  await mkdir(dirname(job.target), { recursive: true });
  const partial = `${job.target}.partial`;
  const resumedFrom = await sizeOf(partial);
  await fetchAll(job, partial, options);
  if (!(await isRight(job, partial))) {
    await discard(partial);
    if (resumedFrom === 0)
      throw new EngineError(
        'model_file_invalid',
        `${basename(job.target)} arrived with a wrong checksum or length. Try again; if it stays so, the source is damaged.`,
      );
    return download(job, options);
  }
  await finish(partial, job.target);
}

async function fetchAll(job: Download, partial: string, options: DownloadOptions): Promise<void> {
  let fruitless = 0;
  for (;;) {
    const before = await sizeOf(partial);
    const fault = await attempt(job, partial, options);
    if (fault === null) return;
    fruitless = (await sizeOf(partial)) > before ? 0 : fruitless + 1;
    if (fault.kind === 'final' || fruitless >= MAX_FRUITLESS)
      throw new EngineError('source_unreachable', `${basename(job.target)}: ${fault.reason}`);
    const delayMs = fault.retryAfterMs ?? (options.retryDelayMs ?? RETRY_DELAY_MS) * 2 ** fruitless;
    await sleep(delayMs, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() =>
      options.signal?.throwIfAborted(),
    );
  }
}

/** One request, appended to what is there. Null when the body came to its end; faults worth a decision otherwise. */
async function attempt(job: Download, partial: string, options: DownloadOptions): Promise<DownloadFault | null> {
  options.signal?.throwIfAborted();
  const stall = new AbortController();
  const signal = options.signal === undefined ? stall.signal : AbortSignal.any([options.signal, stall.signal]);
  const watch = setTimeout(() => stall.abort(new Error('the connection stalled')), options.stallMs ?? STALL_MS);
  try {
    const have = await sizeOf(partial);
    if (have > 0 && have === job.sizeBytes) return null;
    const response = await fetch(job.url, { headers: { ...job.headers, ...(await resumeHeaders(partial, have)) }, signal });
    const place = placeInFile(response.status, response.headers, have);
    if (place.kind === 'refused') {
      await response.body?.cancel();
      if (place.restart) await discard(partial);
      return place.restart
        ? { kind: 'retry', reason: 'the file changed at its source', retryAfterMs: 0 }
        : faultOfStatus(response.status, response.headers, job.url);
    }
    const bytesTotal = place.totalBytes ?? job.sizeBytes;
    const startedMs = performance.now();
    const onChunk = async (bytesDone: number): Promise<void> => {
      options.onBytes?.(bytesDone, bytesTotal);
      await keepRate(bytesDone - place.from, startedMs, { ...options, signal, onWait: () => watch.refresh() });
      watch.refresh();
    };
    await append(partial, { response, from: place.from, bytesTotal, onChunk });
    return null;
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof EngineError) throw cause;
    return faultOfNetwork(cause, job.url);
  } finally {
    clearTimeout(watch);
  }
}

interface Body {
  readonly response: Response;
  /** Byte of the file where it begins. */
  readonly from: number;
  readonly bytesTotal: number | null;
  readonly onChunk: (bytesDone: number) => Promise<void>;
}

async function append(partial: string, { response, from, bytesTotal, onChunk }: Body): Promise<void> {
  if (bytesTotal !== null) await requireFreeSpace(dirname(partial), bytesTotal - from);
  const file = await open(partial, from === 0 ? 'w' : 'r+');
  try {
    await writeFile(`${partial}.etag`, response.headers.get('etag') ?? '');
    let at = from;
    for await (const chunk of response.body ?? []) {
      at += await writeAll(file, chunk, at);
      await onChunk(at);
    }
    if (bytesTotal !== null && at < bytesTotal) throw new Error('the connection was cut');
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Not reading is what slows the sender down. Waits in pieces, each told by `onWait`: a slowed connection is not a stalled one. */
async function keepRate(bytes: number, startedMs: number, options: DownloadOptions & { readonly onWait: () => void }): Promise<void> {
  const { bytesPerSecond, signal, onWait } = options;
  if (bytesPerSecond === undefined) return;
  const wait = options.wait ?? ((ms: number) => sleep(ms, undefined, signal === undefined ? {} : { signal }));
  for (let left = waitForRate(bytes, performance.now() - startedMs, bytesPerSecond); left > 0; left -= WAIT_MS) {
    onWait();
    await wait(Math.min(left, WAIT_MS));
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, at: number): Promise<number> {
  for (let done = 0; done < chunk.length;) done += (await file.write(chunk, done, chunk.length - done, at + done)).bytesWritten;
  return chunk.length;
}

/** Without a strong validator of what is there, the file is fetched anew: a weak ETag may name other bytes. */
async function resumeHeaders(partial: string, have: number): Promise<Record<string, string>> {
  if (have === 0) return {};
  const etag = await readFile(`${partial}.etag`, 'utf8').catch(() => '');
  return etag.startsWith('"') ? { range: `bytes=${have}-`, 'if-range': etag } : {};
}

async function isRight(job: Download, path: string): Promise<boolean> {
  if (job.sizeBytes !== null && (await sizeOf(path)) !== job.sizeBytes) return false;
  return job.checksum === null || matchesChecksum(path, job.checksum);
}

async function finish(partial: string, target: string): Promise<void> {
  await rename(partial, target);
  await rm(`${partial}.etag`, { force: true });
  await syncFolder(dirname(target));
}

async function discard(partial: string): Promise<void> {
  await Promise.all([rm(partial, { force: true }), rm(`${partial}.etag`, { force: true })]);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}
