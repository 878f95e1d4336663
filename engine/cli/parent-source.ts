// Owns how the files that an installed model was made from are found again: fetched anew, or read where they lie.
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ModelManifest } from '../models/manifest.ts';
import type { EncoderSource } from '../models/readers/encoder/source.ts';
import { openAnyModel } from '../models/readers/open-model.ts';
import type { SourceModel } from '../models/readers/source-model.ts';
import { fetchModel } from '../models/sources/fetch-model.ts';
import { resolveName } from '../models/sources/resolve.ts';
import type { FetchedModel, SourceSpec } from '../models/sources/source.ts';
import type { Progress } from './progress.ts';

export interface ParentSourceOptions {
  readonly dataDir: string;
  readonly signal: AbortSignal;
  readonly progress: () => Progress;
}

/** Opens the model's source once, at the first call; `close` ends it and removes what was downloaded for it. */
export class ParentSource {
  readonly #manifest: ModelManifest;
  readonly #options: ParentSourceOptions;
  #fetched: FetchedModel | null = null;
  #opened: SourceModel | EncoderSource | null = null;

  constructor(manifest: ModelManifest, options: ParentSourceOptions) {
    this.#manifest = manifest;
    this.#options = options;
  }

  /** @throws EngineError `source_unreachable` and others of the source */
  async open(): Promise<SourceModel | EncoderSource> {
    if (this.#opened !== null) return this.#opened;
    const { dataDir, signal } = this.#options;
    const progress = this.#options.progress();
    try {
      this.#fetched = await fetchModel([specOf(this.#manifest.source)], {
        downloadDir: join(dataDir, 'downloads'),
        onProgress: ({ file, bytesDone, bytesTotal }) => progress.update(`Fetching ${file}`, bytesDone, bytesTotal),
        signal,
      });
    } finally {
      progress.end();
    }
    this.#opened = openAnyModel(this.#fetched.path);
    return this.#opened;
  }

  async close(): Promise<void> {
    this.#opened?.tensors.dispose();
    if (this.#fetched?.isDownload === true) await removeDownload(this.#fetched.path);
  }
}

/** A folder that held it alone goes too. */
export async function removeDownload(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await rmdir(dirname(path)).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause && (cause.code === 'ENOTEMPTY' || cause.code === 'ENOENT'))) throw cause;
  });
}

/** The inverse of what each source writes as its reference. */
function specOf({ kind, reference, sha256 }: ModelManifest['source']): SourceSpec {
  if (kind === 'file' || kind === 'folder') return { kind, path: reference };
  if (kind === 'url') return { kind, url: reference, sha256 };
  const typed = kind === 'hub' ? `hf:${reference}` : `python:${reference}`;
  const [spec] = resolveName(typed, () => 'nothing').sources;
  return spec ?? { kind: 'folder', path: reference };
}
