// Grammars as llama.cpp writes them (GBNF), which is also what other servers take as EBNF: `name ::= …`, the first rule or `root`
// being the whole. Pure. Syntax: github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
import { ANY_CHAR, charSet, negated, union, type CharSet } from './char-set.ts';
import { takeCounts, type Counts } from './counts.ts';
import { chars, choice, repeat, rule, sequence, text, type Grammar, type GrammarNode } from './grammar.ts';
import { TextCursor } from './text-cursor.ts';

const MAX_DEPTH = 100;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '"': '"',
  "'": "'",
  '[': '[',
  ']': ']',
  '-': '-',
};

/** @throws EngineError `invalid_request` for a text that is no grammar */
export function parseEbnf(source: string): Grammar {
  return new EbnfParser(source).parse();
}

class EbnfParser {
  readonly #cursor: TextCursor;
  #depth = 0;

  constructor(source: string) {
    this.#cursor = new TextCursor(source, 'The grammar');
  }

  parse(): Grammar {
    const rules = new Map<string, GrammarNode>();
    this.#blanks(true);
    while (!this.#cursor.isAtEnd) {
      const name = this.#name();
      this.#blanks(false);
      this.#cursor.expect('::=');
      if (rules.has(name)) throw this.#cursor.fault(`defines ${JSON.stringify(name)} twice before the place`);
      rules.set(name, this.#alternatives(false));
      this.#blanks(true);
    }
    const [first] = rules.keys();
    if (first === undefined) throw this.#cursor.fault('has no rule');
    return { root: rule(rules.has('root') ? 'root' : first), rules };
  }

  /** Blanks and comments; line ends too where a rule may go on over several lines. */
  #blanks(overLines: boolean): void {
    const blank = overLines ? /\s/ : /[ \t]/;
    for (;;) {
      this.#cursor.takeWhile(blank);
      if (this.#cursor.peek() !== '#') return;
      this.#cursor.takeWhile(/[^\n\r]/);
    }
  }

  #name(): string {
    const name = this.#cursor.takeWhile(/[\w.-]/);
    if (name === '') throw this.#cursor.fault('needs the name of a rule');
    return name;
  }

  #alternatives(isNested: boolean): GrammarNode {
    if (++this.#depth > MAX_DEPTH) throw this.#cursor.unsupported(`more than ${MAX_DEPTH} groups within groups`);
    const branches = [this.#terms(isNested)];
    while (this.#continues(isNested) && this.#cursor.skip('|')) {
      this.#blanks(true);
      branches.push(this.#terms(isNested));
    }
    this.#depth--;
    return choice(...branches);
  }

  /** A rule goes on in the next line when that begins with "|". */
  #continues(isNested: boolean): boolean {
    const before = this.#cursor.at;
    this.#blanks(true);
    if (this.#cursor.peek() === '|') return true;
    if (!isNested) this.#cursor.at = before;
    return false;
  }

  #terms(isNested: boolean): GrammarNode {
    const terms: GrammarNode[] = [];
    for (;;) {
      this.#blanks(isNested);
      if (this.#cursor.isAtEnd || '|)\n\r'.includes(this.#cursor.peek())) return sequence(...terms);
      terms.push(this.#quantified());
    }
  }

  #quantified(): GrammarNode {
    let node = this.#atom();
    const next = (): Counts | null => takeCounts(this.#cursor, () => this.#blanks(false));
    for (let counts = next(); counts !== null; counts = next()) node = repeat(node, counts.min, counts.max);
    return node;
  }

  #atom(): GrammarNode {
    const cursor = this.#cursor;
    if (cursor.skip('"')) return this.#literal();
    if (cursor.skip('[')) return chars(this.#class());
    if (cursor.skip('.')) return chars(ANY_CHAR);
    if (cursor.skip('(')) {
      this.#blanks(true);
      const body = this.#alternatives(true);
      cursor.expect(')');
      return body;
    }
    return rule(this.#name());
  }

  #literal(): GrammarNode {
    let value = '';
    while (!this.#cursor.skip('"')) value += this.#char();
    return text(value);
  }

  #class(): CharSet {
    const cursor = this.#cursor;
    const isNegated = cursor.skip('^');
    const ranges: CharSet[] = [];
    while (!cursor.skip(']')) {
      const from = this.#char();
      const isRange = cursor.peek() === '-' && cursor.peek(1) !== ']';
      if (isRange) cursor.take();
      const [first, last] = [pointOf(from), pointOf(isRange ? this.#char() : from)];
      if (last < first) throw cursor.fault('has a range whose ends are swapped');
      ranges.push(charSet([first, last]));
    }
    return isNegated ? negated(union(...ranges)) : union(...ranges);
  }

  #char(): string {
    const cursor = this.#cursor;
    const char = cursor.take();
    if (char !== '\\') return char;
    const letter = cursor.take();
    if (letter === 'x') return this.#point(2);
    if (letter === 'u') return this.#point(4);
    if (letter === 'U') return this.#point(8);
    if (!Object.hasOwn(ESCAPES, letter)) throw cursor.fault(`has the unknown escape "\\${letter}"`);
    return ESCAPES[letter] ?? letter;
  }

  #point(digits: number): string {
    const value = this.#cursor.hex(digits);
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) throw this.#cursor.fault('has a character that is no text');
    return String.fromCodePoint(value);
  }
}

const pointOf = (char: string): number => char.codePointAt(0) ?? 0;
