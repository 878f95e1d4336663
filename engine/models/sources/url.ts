// Owns fetching one GGUF file from a plain URL.
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { EngineError } from '../../errors.ts';
import { sha256OfFile } from './checksum.ts';
import { download, type DownloadOptions } from './download.ts';
import { paceOf, type FetchedModel, type FetchOptions, type SourceSpec } from './source.ts';

type UrlSpec = Extract<SourceSpec, { kind: 'url' }>;

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,150}\.gguf$/i;

/** Throws `invalid_request` for anything but http(s) to a `.gguf`, and what `download` throws. */
export async function fetchFromUrl(spec: UrlSpec, options: FetchOptions, pace: DownloadOptions = {}): Promise<FetchedModel> {
  const url = URL.canParse(spec.url) ? new URL(spec.url) : null;
  const name = decodeURIComponent(url?.pathname.split('/').at(-1) ?? '');
  if (url === null || !/^https?:$/.test(url.protocol) || !FILE_NAME.test(name))
    throw new EngineError('invalid_request', `${spec.url} is not an http(s) address of a .gguf file.`);
  const target = join(options.downloadDir, `url-${url.hostname}`, name);
  const checksum = spec.sha256 === null ? null : ({ kind: 'sha256', hex: spec.sha256 } as const);
  const onBytes = (bytesDone: number, bytesTotal: number | null): void => options.onProgress?.({ file: name, bytesDone, bytesTotal });
  if (!existsSync(target)) {
    await download({ url: url.href, headers: {}, target, sizeBytes: null, checksum }, { ...pace, ...paceOf(options), onBytes });
  }
  return {
    path: target,
    source: { kind: 'url', reference: withoutCredentials(url), sha256: await sha256OfFile(target) },
    isDownload: true,
  };
}

/** Signed addresses carry secrets in the query, others a password before the host. */
function withoutCredentials(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
