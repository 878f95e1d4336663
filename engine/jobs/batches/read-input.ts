// Reads a batch's input file line by line: where each row lies, in which order rows should run, and what is wrong with the file.
// Blocks while it reads: for worker threads alone.
import { closeSync, openSync, readSync } from 'node:fs';
import type { BatchFault } from '../../contract.ts';
import { duplicateId, readRow } from './read-row.ts';

export const MOST_ROWS = 50_000;
/** Of one line: as much as the body of a request may have. */
export const MOST_LINE_BYTES = 16 * 2 ** 20;
/** Faults that are listed; more are counted. */
export const MOST_FAULTS = 100;
const CHUNK_BYTES = 2 ** 20;
const LINE_FEED = 10;

/** Where a row lies in its file. */
export interface PlacedRow {
  /** From 1. */
  readonly line: number;
  readonly customId: string;
  readonly offset: number;
  readonly length: number;
  readonly model: string;
}

export type ReadInput =
  /** In the order in which they should run. `model`: of all rows, or null. */
  | { readonly kind: 'rows'; readonly rows: readonly PlacedRow[]; readonly model: string | null }
  | { readonly kind: 'faulty'; readonly faults: readonly BatchFault[] };

interface Line {
  readonly line: number;
  readonly offset: number;
  /** Null: it is too long to be read. */
  readonly bytes: Buffer | null;
}

/** @throws what the file system throws */
export function readInput(path: string, endpoint: string): ReadInput {
  const rows: { readonly place: PlacedRow; readonly promptKey: Buffer }[] = [];
  const faults: BatchFault[] = [];
  const firstLines = new Map<string, number>();
  for (const line of linesOf(path)) {
    const read = readLine(line, endpoint);
    if (read === null) continue;
    if (read.kind === 'fault') {
      faults.push(read.fault);
      continue;
    }
    const { customId, model, promptKey } = read.row;
    const first = firstLines.get(customId);
    if (first !== undefined) faults.push(duplicateId(customId, line.line, first));
    firstLines.set(customId, first ?? line.line);
    const place = { line: line.line, offset: line.offset, length: line.bytes?.length ?? 0, customId, model };
    // Bytes of its own: a part of a text keeps the whole of it in memory.
    rows.push({ place, promptKey: Buffer.from(promptKey) });
    if (rows.length > MOST_ROWS) return faulty([wholeFile('too_many_rows', `A batch has at most ${MOST_ROWS} rows.`)]);
  }
  if (faults.length > 0) return faulty(faults);
  if (rows.length === 0) return faulty([wholeFile('empty_file', 'The file has no rows.')]);
  const sorted = rows.toSorted(
    (a, b) => compare(a.place.model, b.place.model) || Buffer.compare(a.promptKey, b.promptKey) || a.place.line - b.place.line,
  );
  const [first, last] = [sorted[0]?.place.model ?? null, sorted.at(-1)?.place.model];
  const model = first === last ? first : null;
  return { kind: 'rows', rows: sorted.map(({ place }) => place), model };
}

function readLine({ line, bytes }: Line, endpoint: string): ReturnType<typeof readRow> | null {
  if (bytes === null) return textFault(line, 'line_too_long', `The line has more than ${MOST_LINE_BYTES} bytes.`);
  const text = decode(bytes);
  if (text === null) return textFault(line, 'invalid_encoding', 'The line is not UTF-8.');
  return text.trim() === '' ? null : readRow(text, line, endpoint);
}

function textFault(line: number, code: string, message: string): ReturnType<typeof readRow> {
  return { kind: 'fault', fault: { code, message, param: null, line } };
}

/** Memory is bound by the longest line that is allowed. */
function* linesOf(path: string): Generator<Line> {
  const file = openSync(path, 'r');
  try {
    let [line, offset, at] = [1, 0, 0];
    let parts: Buffer[] | null = [];
    for (let chunk = readChunk(file, at); chunk.length > 0; chunk = readChunk(file, at)) {
      at += chunk.length;
      let from = 0;
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
        yield { line: line++, offset, bytes: joined(parts, chunk.subarray(from, end)) };
        from = end + 1;
        offset = at - chunk.length + from;
        parts = [];
      }
      parts = grown(parts, chunk.subarray(from));
    }
    if (parts === null || parts.length > 0) yield { line, offset, bytes: parts && Buffer.concat(parts) };
  } finally {
    closeSync(file);
  }
}

function grown(parts: Buffer[] | null, more: Buffer): Buffer[] | null {
  if (parts === null || more.length === 0) return parts;
  const total = parts.reduce((sum, part) => sum + part.length, more.length);
  return total > MOST_LINE_BYTES ? null : [...parts, more];
}

function joined(parts: Buffer[] | null, last: Buffer): Buffer | null {
  const whole = grown(parts, last);
  return whole && Buffer.concat(whole);
}

function readChunk(file: number, position: number): Buffer {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  return chunk.subarray(0, readSync(file, chunk, { position }));
}

/** Without a byte order mark; null for bytes that are no UTF-8. */
function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function faulty(faults: readonly BatchFault[]): ReadInput {
  if (faults.length <= MOST_FAULTS) return { kind: 'faulty', faults };
  const more = wholeFile('more_faults', `${faults.length - MOST_FAULTS} more lines are at fault.`);
  return { kind: 'faulty', faults: [...faults.slice(0, MOST_FAULTS), more] };
}

function wholeFile(code: string, message: string): BatchFault {
  return { code, message, param: null, line: null };
}
