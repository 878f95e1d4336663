// Sets of Unicode code points as sorted ranges, and how such a set reads in UTF-8. Pure.

/** Sorted ranges [from, to] that neither touch nor overlap. Surrogates are in none: they are no text. */
export type CharSet = readonly (readonly [from: number, to: number])[];

const LAST = 0x10ffff;
const SURROGATES: CharSet = [[0xd800, 0xdfff]];

/** The set of these ranges, in any order. */
export function charSet(...ranges: readonly (readonly [number, number])[]): CharSet {
  return minus(normalised(ranges), SURROGATES);
}

/** The set of a text's characters. */
export function charsOf(text: string): CharSet {
  return charSet(...Array.from(text, (char): [number, number] => [char.codePointAt(0) ?? 0, char.codePointAt(0) ?? 0]));
}

export const ANY_CHAR: CharSet = [
  [0, 0xd7ff],
  [0xe000, LAST],
];

export function union(...sets: readonly CharSet[]): CharSet {
  return normalised(sets.flat());
}

export function minus(set: CharSet, removed: CharSet): CharSet {
  return removed.reduce<CharSet>((left, hole) => left.flatMap((range) => cut(range, hole)), set);
}

export function negated(set: CharSet): CharSet {
  return minus(ANY_CHAR, set);
}

export function intersection(a: CharSet, b: CharSet): CharSet {
  return minus(a, negated(b));
}

export function sizeOf(set: CharSet): number {
  return set.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

function cut([from, to]: readonly [number, number], [first, last]: readonly [number, number]): [number, number][] {
  const parts: [number, number][] = [
    [from, Math.min(to, first - 1)],
    [Math.max(from, last + 1), to],
  ];
  return last < from || first > to ? [[from, to]] : parts.filter(([start, end]) => start <= end);
}

function normalised(ranges: CharSet): CharSet {
  const sorted = ranges.filter(([from, to]) => from <= to).sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** One run of bytes, each within its range. */
export type ByteRanges = readonly (readonly [low: number, high: number])[];

/** The set in UTF-8 (RFC 3629): every character is matched by exactly one of these. */
export function utf8Ranges(set: CharSet): ByteRanges[] {
  return set.flatMap(([from, to]) => splitByLength(from, to));
}

const LENGTH_ENDS = [0x7f, 0x7ff, 0xffff, LAST];

function splitByLength(from: number, to: number): ByteRanges[] {
  let start = from;
  const found: ByteRanges[] = [];
  for (const end of LENGTH_ENDS) {
    if (start > end) continue;
    found.push(...splitByPrefix(encode(start), encode(Math.min(to, end))));
    if (to <= end) return found;
    start = end + 1;
  }
  return found;
}

const encode = (point: number): number[] => [...Buffer.from(String.fromCodePoint(point))];

/** Ranges of byte strings of one length, from the lowest to the highest, both included. */
function splitByPrefix(low: readonly number[], high: readonly number[]): ByteRanges[] {
  const [first = 0, ...lowRest] = low;
  const [last = 0, ...highRest] = high;
  if (lowRest.length === 0) return [[[first, last]]];
  if (first === last) return splitByPrefix(lowRest, highRest).map((rest) => [[first, first], ...rest]);
  const parts: ByteRanges[] = [];
  let [start, end] = [first, last];
  if (lowRest.some((byte) => byte !== 0x80)) {
    const ceiling = lowRest.map(() => 0xbf);
    parts.push(...splitByPrefix(lowRest, ceiling).map((rest): ByteRanges => [[first, first], ...rest]));
    start++;
  }
  const tail: ByteRanges[] = [];
  if (highRest.some((byte) => byte !== 0xbf)) {
    const floor = highRest.map(() => 0x80);
    tail.push(...splitByPrefix(floor, highRest).map((rest): ByteRanges => [[last, last], ...rest]));
    end--;
  }
  if (start <= end) parts.push([[start, end], ...lowRest.map((): [number, number] => [0x80, 0xbf])]);
  return [...parts, ...tail];
}
