// The refusals of a JSON Schema: which keyword, and where it stands as a JSON pointer.
import { EngineError } from '../../../errors.ts';

/** Where a part of the schema stands: names and numbers from the root. */
export type SchemaPath = readonly (string | number)[];

/** Keeps messages readable. */
const MAX_POINTER = 200;

export function pointerOf(path: SchemaPath): string {
  // A path that begins at a place that was referred to has its pointer first.
  const [first = '', ...rest] = path;
  const [root, parts] = String(first).startsWith('#') ? [String(first), rest] : ['#', path];
  const pointer = `${root}${parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;
  return pointer.length > MAX_POINTER ? `${pointer.slice(0, MAX_POINTER)}…` : pointer;
}

/** A keyword that is valid, but that no grammar here can follow. */
export function unenforceable(keyword: string, path: SchemaPath, why: string): EngineError {
  return new EngineError('unsupported_parameter', `The schema's keyword "${keyword}" at ${pointerOf(path)} cannot be enforced: ${why}.`);
}

/** A schema that is none. */
export function broken(keyword: string, path: SchemaPath, why: string): EngineError {
  return new EngineError('invalid_request', `The schema's keyword "${keyword}" at ${pointerOf(path)} ${why}.`);
}
