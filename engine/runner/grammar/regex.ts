// Regular expressions as ECMA-262 writes them (with the u flag), as far as they describe a regular language: no look-around, no
// back-references, no word borders. Pure.
import { ANY_CHAR, charSet, charsOf, minus, negated, union, type CharSet } from './char-set.ts';
import { takeCounts } from './counts.ts';
import { chars, choice, EMPTY, repeat, sequence, star, type GrammarNode } from './grammar.ts';
import { TextCursor } from './text-cursor.ts';

/** Groups within groups. */
const MAX_DEPTH = 100;

const DIGITS = charSet([0x30, 0x39]);
const WORD = union(DIGITS, charSet([0x41, 0x5a], [0x61, 0x7a]), charsOf('_'));
/** ECMA-262's WhiteSpace and LineTerminator. */
const SPACE = union(charsOf('\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff'), charSet([0x2000, 0x200a]));
const LINE_ENDS = charsOf('\n\r\u2028\u2029');
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', '0': '\0' };

export interface RegexOptions {
  /** True: the expression describes a whole text; false: it may stand anywhere in it, as in JSON Schema's `pattern`. */
  readonly whole: boolean;
}

/** @throws EngineError `invalid_request` for a broken expression, `unsupported_parameter` for one that is not regular */
export function parseRegex(source: string, { whole }: RegexOptions): GrammarNode {
  return new RegexParser(source, whole).parse();
}

class RegexParser {
  readonly #cursor: TextCursor;
  readonly #anything: GrammarNode;
  #depth = 0;

  constructor(source: string, whole: boolean) {
    this.#cursor = new TextCursor(source, 'The regular expression');
    this.#anything = whole ? EMPTY : star(chars(ANY_CHAR));
  }

  parse(): GrammarNode {
    const branches = [this.#anchored()];
    while (this.#cursor.skip('|')) branches.push(this.#anchored());
    if (!this.#cursor.isAtEnd) throw this.#cursor.fault('has a ")" too many');
    return choice(...branches);
  }

  /** One alternative of the whole, which alone may have anchors. */
  #anchored(): GrammarNode {
    const isBegun = this.#cursor.skip('^');
    const body = this.#terms();
    const isEnded = this.#cursor.skip('$');
    if (!this.#cursor.isAtEnd && this.#cursor.peek() !== '|' && this.#cursor.peek() !== ')')
      throw this.#cursor.unsupported('an anchor ("$") in the middle');
    return sequence(isBegun ? EMPTY : this.#anything, body, isEnded ? EMPTY : this.#anything);
  }

  #alternatives(): GrammarNode {
    if (++this.#depth > MAX_DEPTH) throw this.#cursor.unsupported(`more than ${MAX_DEPTH} groups within groups`);
    const branches = [this.#terms()];
    while (this.#cursor.skip('|')) branches.push(this.#terms());
    this.#depth--;
    return choice(...branches);
  }

  #terms(): GrammarNode {
    const terms: GrammarNode[] = [];
    while (!this.#cursor.isAtEnd && !'|)$'.includes(this.#cursor.peek())) terms.push(this.#quantified());
    return sequence(...terms);
  }

  #quantified(): GrammarNode {
    const atom = this.#atom();
    const counts = takeCounts(this.#cursor);
    if (counts === null) return atom;
    // A lazy quantifier matches the same texts.
    this.#cursor.skip('?');
    if ('*+?'.includes(this.#cursor.peek() || ' ')) throw this.#cursor.unsupported('a quantifier after a quantifier');
    return repeat(atom, counts.min, counts.max);
  }

  #atom(): GrammarNode {
    const cursor = this.#cursor;
    if (cursor.skip('(')) return this.#group();
    if (cursor.skip('[')) return chars(this.#class());
    if (cursor.skip('.')) return chars(negated(LINE_ENDS));
    if (cursor.skip('\\')) return chars(this.#escape(false));
    const char = cursor.peek();
    if (char === '^') throw cursor.unsupported('an anchor ("^") in the middle');
    if ('*+?{}]'.includes(char)) throw cursor.fault(`has a ${JSON.stringify(char)} that must be escaped`);
    return chars(charsOf(cursor.take()));
  }

  #group(): GrammarNode {
    const cursor = this.#cursor;
    for (const sign of ['?=', '?!', '?<=', '?<!']) if (cursor.startsWith(sign)) throw cursor.unsupported('look-around');
    if (cursor.skip('?<')) {
      if (cursor.takeWhile(/[\p{L}\p{N}_$]/u) === '') throw cursor.fault('needs a name for a group');
      cursor.expect('>');
    } else if (cursor.skip('?') && !cursor.skip(':')) throw cursor.unsupported('flags');
    const body = this.#alternatives();
    if (cursor.peek() === '$') throw cursor.unsupported('an anchor ("$") within a group');
    cursor.expect(')');
    return body;
  }

  #class(): CharSet {
    const cursor = this.#cursor;
    const isNegated = cursor.skip('^');
    const sets: CharSet[] = [];
    while (!cursor.skip(']')) sets.push(this.#range());
    const set = union(...sets);
    return isNegated ? negated(set) : set;
  }

  #range(): CharSet {
    const cursor = this.#cursor;
    const from = this.#member();
    if (cursor.peek() !== '-' || cursor.peek(1) === ']' || cursor.peek(1) === '') return from;
    cursor.take();
    const to = this.#member();
    const [first, last] = [single(from), single(to)];
    if (first === null || last === null) throw cursor.fault('has a range that does not lie between two characters');
    if (last < first) throw cursor.fault('has a range whose ends are swapped');
    return charSet([first, last]);
  }

  #member(): CharSet {
    return this.#cursor.skip('\\') ? this.#escape(true) : charsOf(this.#cursor.take());
  }

  #escape(isInClass: boolean): CharSet {
    const cursor = this.#cursor;
    const letter = cursor.take();
    const named: Readonly<Record<string, CharSet>> = { d: DIGITS, w: WORD, s: SPACE };
    const set = Object.hasOwn(named, letter.toLowerCase()) ? named[letter.toLowerCase()] : undefined;
    if (set !== undefined) return letter === letter.toLowerCase() ? set : minus(ANY_CHAR, set);
    if (isInClass && letter === 'b') return charsOf('\b');
    if (Object.hasOwn(CONTROLS, letter)) return charsOf(CONTROLS[letter] ?? '');
    if (letter === 'x') return point(cursor.hex(2));
    if (letter === 'u') return point(this.#unicode());
    if (letter === 'c') return point((cursor.take().codePointAt(0) ?? 0) % 32);
    if (letter.toLowerCase() === 'p') return this.#property(letter);
    if (/[bB]/.test(letter)) throw cursor.unsupported('a word border');
    if (/[1-9k]/.test(letter)) throw cursor.unsupported('a back-reference');
    if (/[a-zA-Z]/.test(letter)) throw cursor.fault(`has the unknown escape "\\${letter}"`);
    return charsOf(letter);
  }

  #unicode(): number {
    const cursor = this.#cursor;
    if (cursor.skip('{')) {
      const digits = cursor.takeWhile(/[0-9a-fA-F]/);
      cursor.expect('}');
      const value = Number.parseInt(digits, 16);
      if (!(value <= 0x10ffff)) throw cursor.fault('has a character beyond Unicode');
      return value;
    }
    const high = cursor.hex(4);
    if (high < 0xd800 || high > 0xdbff || !cursor.skip('\\u')) return high;
    return 0x10000 + (high - 0xd800) * 0x400 + (cursor.hex(4) - 0xdc00);
  }

  #property(letter: string): CharSet {
    const cursor = this.#cursor;
    cursor.expect('{');
    const name = cursor.takeWhile(/[\w=]/);
    cursor.expect('}');
    return propertySet(name, () => cursor.fault(`has the unknown property ${JSON.stringify(name)}`), letter === 'P');
  }
}

/** Asks the language's own regular expressions, code point by code point. */
function propertySet(name: string, unknown: () => Error, isNegated: boolean): CharSet {
  let test: RegExp;
  try {
    test = new RegExp(`^\\p{${name}}$`, 'u');
  } catch {
    throw unknown();
  }
  const ranges: [number, number][] = [];
  for (const [from, to] of ANY_CHAR) {
    for (let at = from; at <= to; at++) {
      if (!test.test(String.fromCodePoint(at))) continue;
      const last = ranges.at(-1);
      if (last?.[1] === at - 1) last[1] = at;
      else ranges.push([at, at]);
    }
  }
  return isNegated ? negated(ranges) : ranges;
}

const point = (value: number): CharSet => charSet([value, value]);

function single(set: CharSet): number | null {
  const [range] = set;
  return set.length === 1 && range !== undefined && range[0] === range[1] ? range[0] : null;
}
