// How often a part of an expression repeats, as regular expressions and GBNF both write it. Pure.
import type { TextCursor } from './text-cursor.ts';

const MAX_COUNT = 100_000;

export interface Counts {
  readonly min: number;
  /** Null: without end. */
  readonly max: number | null;
}

/** Takes `*`, `+`, `?` or `{m}`, `{m,}`, `{m,n}`; null when none of them comes next. `skipBlanks` takes what may stand between the braces.
 * @throws EngineError `invalid_request`, `unsupported_parameter` */
export function takeCounts(cursor: TextCursor, skipBlanks: () => void = () => {}): Counts | null {
  if (cursor.skip('*')) return { min: 0, max: null };
  if (cursor.skip('+')) return { min: 1, max: null };
  if (cursor.skip('?')) return { min: 0, max: 1 };
  if (!cursor.skip('{')) return null;
  skipBlanks();
  const min = takeNumber(cursor);
  const max = cursor.skip(',') ? takeMaximum(cursor, skipBlanks) : min;
  skipBlanks();
  cursor.expect('}');
  if (max !== null && max < min) throw cursor.fault('has a range whose ends are swapped');
  return { min, max };
}

function takeMaximum(cursor: TextCursor, skipBlanks: () => void): number | null {
  skipBlanks();
  return cursor.peek() === '}' ? null : takeNumber(cursor);
}

function takeNumber(cursor: TextCursor): number {
  const digits = cursor.takeWhile(/\d/);
  if (digits === '') throw cursor.fault('needs a number');
  if (Number(digits) > MAX_COUNT) throw cursor.unsupported(`a repeat of more than ${MAX_COUNT}`);
  return Number(digits);
}
