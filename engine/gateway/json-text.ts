// Parses the bytes of a JSON body and refuses what no client means: invalid UTF-8, numbers beyond a double, lone surrogates.
// Pure and bounded by its limits; runs on the event loop for small bodies and in a worker thread for large ones.
import { EngineError } from '../errors.ts';
import type { Limits } from './limits.ts';

export type JsonLimits = Pick<Limits, 'jsonDepth' | 'jsonValues'>;

/** The value of a JSON text. @throws EngineError `invalid_request` */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  if (isDeeper(bytes, limits.jsonDepth))
    throw new EngineError('invalid_request', `The body is nested more than ${limits.jsonDepth} levels deep.`);
  const value = parse(decode(bytes));
  check(value, limits.jsonValues);
  return value;
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\[]{}');

/**
 * Whether brackets outside strings nest deeper than `limit`.
 * NOTE: judged on the bytes, before the parser: V8 needs 100 ms for a hundred thousand levels that fit into 256 KiB.
 */
function isDeeper(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
    if (depth > limit) return true;
  }
  return false;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError('invalid_request', 'The body is not valid UTF-8.', { cause });
  }
}

function parse(text: string): unknown {
  if (text.trim() === '') throw new EngineError('invalid_request', 'The body is empty; send a JSON object.');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('invalid_request', `The body is not valid JSON: ${clip(detail)}`, { cause });
  }
}

/** V8 quotes the text around the fault; the client sent it, but need not get all of it back. */
const clip = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

/** Walks level by level. */
function check(root: unknown, maxValues: number): void {
  let level: unknown[] = [root];
  let seen = 0;
  while (level.length > 0) {
    seen += level.length;
    if (seen > maxValues) throw new EngineError('invalid_request', `The body holds more than ${maxValues} values.`);
    level = childrenOf(level);
  }
}

function childrenOf(values: readonly unknown[]): unknown[] {
  const children: unknown[] = [];
  for (const value of values) {
    if (typeof value !== 'object' || value === null) checkScalar(value);
    else if (Array.isArray(value)) for (const item of value) children.push(item);
    else for (const [key, item] of Object.entries(value)) children.push(key, item);
  }
  return children;
}

function checkScalar(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new EngineError('invalid_request', 'The body holds a number that is too large for a double.');
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new EngineError('invalid_request', 'The body holds a string with half of a surrogate pair, which is no text.');
  }
}
