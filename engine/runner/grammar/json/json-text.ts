// JSON's own grammar (RFC 8259): strings, numbers, values and the white space between them, as rules.
// Numbers are kept to what a double holds, and white space to what a printer makes, so that an answer cannot run away in either.
import { charSet, charsOf, intersection, minus, negated, sizeOf, type CharSet } from '../char-set.ts';
import { chars, choice, optional, plus, repeat, rule, sequence, star, text, type GrammarNode } from '../grammar.ts';

const digit = chars(charSet([0x30, 0x39]));
const nonZero = chars(charSet([0x31, 0x39]));
const hex = chars(charSet([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]));

/** Longest indent that is written. */
const MAX_INDENT = 40;
/** Digits before and after the point: a double has 15 to 17. */
const MAX_DIGITS = 15;

/** Between two tokens: nothing, one blank, or a new line and its indent. */
export const SPACE = rule('json space');
/** After a colon. */
export const COLON = sequence(text(':'), optional(text(' ')));
export const COMMA = sequence(text(','), SPACE);

const CONTROLS = charSet([0, 0x1f]);
const ESCAPED = charsOf('"\\');
const SHORT: readonly (readonly [char: string, letter: string])[] = [
  ['\b', 'b'],
  ['\f', 'f'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\t', 't'],
];

/** One character of a string out of a set, written the one way a printer writes it. */
export function jsonChar(set: CharSet): GrammarNode {
  const plain = minus(minus(set, CONTROLS), ESCAPED);
  const has = (char: string): boolean => sizeOf(intersection(set, charsOf(char))) > 0;
  const quoted = ['"', '\\'].filter(has).map((char) => text(`\\${char}`));
  const short = SHORT.filter(([char]) => has(char)).map(([, letter]) => text(`\\${letter}`));
  const others = minus(intersection(set, CONTROLS), charsOf(SHORT.map(([char]) => char).join('')));
  const long = others.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => text(`\\u${(from + i).toString(16).padStart(4, '0')}`)),
  );
  return choice(...(plain.length > 0 ? [chars(plain)] : []), ...quoted, ...short, ...long);
}

/** A node over characters as it reads inside a JSON string. It names no rules. */
export function insideString(node: GrammarNode): GrammarNode {
  switch (node.kind) {
    case 'text':
      return text(JSON.stringify(node.text).slice(1, -1));
    case 'chars':
      return jsonChar(node.set);
    case 'sequence':
      return sequence(...node.nodes.map(insideString));
    case 'choice':
      return choice(...node.nodes.map(insideString));
    case 'repeat':
      return repeat(insideString(node.node), node.min, node.max);
    case 'rule':
      return node;
  }
}

export const quoted = (inside: GrammarNode): GrammarNode => sequence(text('"'), inside, text('"'));

/** Any character of a string, with every escape that JSON knows; halves of surrogate pairs only together. */
const anyChar = choice(
  chars(minus(negated(CONTROLS), ESCAPED)),
  sequence(text('\\'), chars(charsOf('"\\/bfnrt'))),
  sequence(
    text('\\u'),
    choice(
      sequence(chars(charsOf('0123456789abcefABCEF')), hex, hex, hex),
      sequence(chars(charsOf('dD')), chars(charsOf('01234567')), hex, hex),
    ),
  ),
  sequence(
    text('\\u'),
    chars(charsOf('dD')),
    chars(charsOf('89abAB')),
    hex,
    hex,
    text('\\u'),
    chars(charsOf('dD')),
    chars(charsOf('cdefCDEF')),
    hex,
    hex,
  ),
);

export function anyString(min: number, max: number | null): GrammarNode {
  return quoted(repeat(rule('json char'), min, max));
}

export const integer = choice(text('0'), sequence(optional(text('-')), nonZero, repeat(digit, 0, MAX_DIGITS - 1)));
const fraction = sequence(text('.'), repeat(digit, 1, MAX_DIGITS));
const exponent = sequence(chars(charsOf('eE')), optional(chars(charsOf('+-'))), digit, optional(digit));
export const number = sequence(
  optional(text('-')),
  choice(text('0'), sequence(nonZero, repeat(digit, 0, MAX_DIGITS - 1))),
  optional(fraction),
  optional(exponent),
);

export const boolean = choice(text('true'), text('false'));
export const ANY_VALUE = rule('json value');
export const ANY_OBJECT = rule('json object');
export const ANY_ARRAY = rule('json array');
const ANY_STRING = rule('json string');

/** `{` … `}` with white space around what is inside. */
export const braced = (inside: GrammarNode): GrammarNode => sequence(text('{'), SPACE, inside, SPACE, text('}'));
export const bracketed = (inside: GrammarNode): GrammarNode => sequence(text('['), SPACE, inside, SPACE, text(']'));

/** The rules that the nodes here name. */
export function jsonRules(): Map<string, GrammarNode> {
  const pair = sequence(ANY_STRING, COLON, ANY_VALUE);
  const list = (item: GrammarNode): GrammarNode => optional(sequence(item, star(sequence(COMMA, item)), SPACE));
  return new Map([
    ['json space', choice(optional(text(' ')), sequence(text('\n'), repeat(chars(charsOf(' \t')), 0, MAX_INDENT)))],
    ['json char', anyChar],
    ['json string', anyString(0, null)],
    ['json number', number],
    ['json object', sequence(text('{'), SPACE, list(pair), text('}'))],
    ['json array', sequence(text('['), SPACE, list(ANY_VALUE), text(']'))],
    ['json value', choice(ANY_OBJECT, ANY_ARRAY, ANY_STRING, rule('json number'), boolean, text('null'))],
  ]);
}

/** A key that is none of these names, written without escapes. */
export function otherKey(names: readonly string[]): GrammarNode {
  return quoted(unequal(names.filter((name) => JSON.stringify(name) === `"${name}"`).map((name) => Array.from(name))));
}

const KEY_CHARS = minus(negated(CONTROLS), ESCAPED);

/** Texts that are none of these, given as characters. */
function unequal(names: readonly (readonly string[])[]): GrammarNode {
  const heads = new Map<string, (readonly string[])[]>();
  for (const [head, ...rest] of names) if (head !== undefined) heads.set(head, [...(heads.get(head) ?? []), rest]);
  const others = minus(KEY_CHARS, charsOf([...heads.keys()].join('')));
  const branches = [...heads].map(([head, rests]) => sequence(text(head), unequal(rests)));
  const away = sequence(chars(others), star(chars(KEY_CHARS)));
  const isName = names.some((name) => name.length === 0);
  return choice(away, ...branches, ...(isName ? [] : [text('')]));
}

/** Numbers that may be any digits long where they are bounded otherwise. */
export const digits = { any: digit, nonZero, some: plus(digit), maxDigits: MAX_DIGITS };
