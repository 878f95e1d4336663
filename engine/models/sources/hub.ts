// Owns fetching a model from the Hugging Face hub or a mirror that speaks its protocol: list, choose, download, check.
// Honours HF_ENDPOINT and HF_TOKEN. The listing is the hub library's; the bytes are ours, so that they resume.
import { HubApiError, listFiles, type ListFileEntry } from '@huggingface/hub';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import { matchesChecksum, type Checksum } from './checksum.ts';
import { chooseFiles } from './choose-files.ts';
import { download, type DownloadOptions } from './download.ts';
import { faultOfNetwork, faultOfStatus } from './http-reply.ts';
import { paceOf, type FetchedModel, type FetchOptions, type SourceSpec } from './source.ts';

type HubSpec = Extract<SourceSpec, { kind: 'hub' }>;

export interface HubAccess {
  readonly endpoint: string;
  readonly token: string | null;
}

const REPO = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
const REVISION = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;
/** A path inside the repository that is also safe to make here. */
const SAFE_PATH = /^(?!\/)(?!.*(^|\/)\.\.?(\/|$))[A-Za-z0-9._/ +@=,()-]{1,300}$/;
const MAX_FILES = 10_000;
const LISTING_TIMEOUT_MS = 20_000;

export function hubAccess(env: NodeJS.ProcessEnv): HubAccess {
  return { endpoint: (env['HF_ENDPOINT'] ?? 'https://huggingface.co').replace(/\/+$/, ''), token: env['HF_TOKEN'] ?? null };
}

/** Throws `source_unreachable` with the remedy, `unsupported_model` when the repository has nothing usable, and what `download` throws. */
export async function fetchFromHub(
  spec: HubSpec,
  access: HubAccess,
  options: FetchOptions,
  pace: DownloadOptions = {},
): Promise<FetchedModel> {
  if (!REPO.test(spec.repo) || !REVISION.test(spec.revision))
    throw new EngineError('invalid_request', `"${spec.repo}" at "${spec.revision}" is not a hub repository (owner/name).`);
  const entries = await listRepo(spec, access, options.signal);
  const choice = chooseFiles(
    entries.map(({ path, size }) => ({ path, sizeBytes: size })),
    spec.file,
  );
  if (choice.kind === 'none') throw new EngineError('unsupported_model', `${spec.repo} holds ${choice.reason}.`);
  const names = choice.kind === 'gguf' ? [choice.file] : choice.files;
  const folder = join(options.downloadDir, `hub-${spec.repo.replace('/', '--')}--${spec.revision.replaceAll('/', '-')}`);
  const chosen = entries.filter(({ path }) => names.includes(path));
  await downloadAll({ spec, access, folder, options, pace }, chosen);
  const sha256 = choice.kind === 'gguf' ? (chosen[0]?.lfs?.oid ?? null) : null;
  const path = choice.kind === 'gguf' ? localPath(folder, choice.file) : folder;
  return {
    path,
    source: { kind: 'hub', reference: `${spec.repo}@${spec.revision}${choice.kind === 'gguf' ? `:${choice.file}` : ''}`, sha256 },
    isDownload: true,
  };
}

async function listRepo(spec: HubSpec, access: HubAccess, signal: AbortSignal | undefined): Promise<readonly ListFileEntry[]> {
  const entries: ListFileEntry[] = [];
  try {
    for await (const entry of listFiles({
      repo: spec.repo,
      revision: spec.revision,
      recursive: true,
      hubUrl: access.endpoint,
      fetch: listingFetch(access, signal),
    })) {
      if (entry.type === 'file' && SAFE_PATH.test(entry.path)) entries.push(entry);
      if (entries.length > MAX_FILES) throw new EngineError('unsupported_model', `${spec.repo} has more than ${MAX_FILES} files.`);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw listingError(cause, spec, access);
  }
  return entries;
}

/** The library takes no signal, and only tokens of huggingface.co's own form; a mirror may have others. */
function listingFetch(access: HubAccess, signal: AbortSignal | undefined): typeof fetch {
  return (resource, init) => {
    const url = resource instanceof Request ? resource.url : resource.toString();
    const headers = new Headers(init?.headers);
    if (access.token !== null && url.startsWith(`${access.endpoint}/`)) headers.set('authorization', `Bearer ${access.token}`);
    const timeout = AbortSignal.timeout(LISTING_TIMEOUT_MS);
    return fetch(resource, { ...init, headers, signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) });
  };
}

function listingError(cause: unknown, spec: HubSpec, access: HubAccess): unknown {
  if (cause instanceof EngineError) return cause;
  const fault =
    cause instanceof HubApiError ? faultOfStatus(cause.statusCode, new Headers(), access.endpoint) : faultOfNetwork(cause, access.endpoint);
  return new EngineError('source_unreachable', `${spec.repo}: ${fault.reason}`, { cause });
}

/** Everything that stays the same from file to file. */
interface Batch {
  readonly spec: HubSpec;
  readonly access: HubAccess;
  readonly folder: string;
  readonly options: FetchOptions;
  readonly pace: DownloadOptions;
}

async function downloadAll(batch: Batch, files: readonly ListFileEntry[]): Promise<void> {
  const { onProgress } = batch.options;
  const bytesTotal = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of files) {
    const start = before;
    await downloadOne(batch, file, (bytes) => onProgress?.({ file: file.path, bytesDone: start + bytes, bytesTotal }));
    before += file.size;
    onProgress?.({ file: file.path, bytesDone: before, bytesTotal });
  }
}

async function downloadOne(
  { spec, access, folder, options, pace }: Batch,
  file: ListFileEntry,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const target = localPath(folder, file.path);
  const checksum = checksumOf(file);
  // The same size alone would not do: a model uploaded again has other weights in the same shapes.
  if (checksum !== null && existsSync(target) && (await matchesChecksum(target, checksum))) return;
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  await download(
    {
      url: `${access.endpoint}/${spec.repo}/resolve/${encodeURIComponent(spec.revision)}/${path}`,
      headers: access.token === null ? {} : { authorization: `Bearer ${access.token}` },
      target,
      sizeBytes: file.size,
      checksum,
    },
    { ...pace, ...paceOf(options), onBytes },
  );
}

function checksumOf(file: ListFileEntry): Checksum | null {
  if (file.lfs !== undefined) return { kind: 'sha256', hex: file.lfs.oid };
  return file.oid === undefined ? null : { kind: 'git-blob', hex: file.oid };
}

function localPath(folder: string, path: string): string {
  return join(folder, ...path.split('/'));
}
