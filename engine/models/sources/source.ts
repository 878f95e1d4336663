// Owns what every source of model files offers: a name becomes files on disk, with progress, and can be stopped.
// Knows no protocol.
import type { ModelManifest } from '../manifest.ts';

export interface FetchProgress {
  /** The file that is being fetched, relative to the model. */
  readonly file: string;
  /** Of all files together. */
  readonly bytesDone: number;
  /** Null while it is not known. */
  readonly bytesTotal: number | null;
}

export interface FetchOptions {
  /** Where downloads go, and where an interrupted one is found again. */
  readonly downloadDir: string;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly signal?: AbortSignal;
  /** Most that is downloaded on average; without it, as much as comes. */
  readonly bytesPerSecond?: number;
}

/** What a download is told of these options. */
export function paceOf({ signal, bytesPerSecond }: FetchOptions): Pick<FetchOptions, 'signal' | 'bytesPerSecond'> {
  return { ...(signal === undefined ? {} : { signal }), ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }) };
}

export interface FetchedModel {
  /** A file or a folder for `openModel`. */
  readonly path: string;
  readonly source: ModelManifest['source'];
  /** Whether `path` is a download of ours, which may be deleted once it has been converted. */
  readonly isDownload: boolean;
}

/** Where a model comes from. */
export type SourceSpec =
  | {
      readonly kind: 'hub';
      readonly repo: string;
      readonly revision: string;
      /** Which GGUF: a file's name or a part of it, `Q4_K_M`. */ readonly file: string | null;
    }
  | { readonly kind: 'python'; readonly package: string; readonly version: string | null }
  | { readonly kind: 'url'; readonly url: string; readonly sha256: string | null }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string };
