// A place in a text that is being parsed, character by character. Knows nothing about any language.
import { EngineError } from '../../errors.ts';

export class TextCursor {
  readonly #chars: readonly string[];
  readonly #what: string;
  at = 0;

  /** `what` names the text in errors, such as "The regular expression". */
  constructor(text: string, what: string) {
    this.#chars = Array.from(text);
    this.#what = what;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#chars.length;
  }

  /** The character `ahead` places further, '' beyond the end. */
  peek(ahead = 0): string {
    return this.#chars[this.at + ahead] ?? '';
  }

  startsWith(text: string): boolean {
    return Array.from(text).every((char, place) => this.peek(place) === char);
  }

  /** Takes the next character, which must be there. */
  take(): string {
    if (this.isAtEnd) throw this.fault('ends too early');
    return this.#chars[this.at++] ?? '';
  }

  /** Takes this text where it comes next. */
  skip(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.at += Array.from(text).length;
    return true;
  }

  takeWhile(pattern: RegExp): string {
    const from = this.at;
    while (!this.isAtEnd && pattern.test(this.peek())) this.at++;
    return this.#chars.slice(from, this.at).join('');
  }

  expect(text: string): void {
    if (!this.skip(text)) throw this.fault(`needs ${JSON.stringify(text)}`);
  }

  /** A code point from exactly `digits` hexadecimal digits. */
  hex(digits: number): number {
    const from = this.at;
    const text = Array.from({ length: digits }, () => this.take()).join('');
    if (!/^[0-9a-fA-F]+$/.test(text)) {
      this.at = from;
      throw this.fault(`needs ${digits} hexadecimal digits`);
    }
    return Number.parseInt(text, 16);
  }

  fault(why: string): EngineError {
    return new EngineError('invalid_request', `${this.#what} ${why} at character ${this.at + 1}.`);
  }

  unsupported(what: string): EngineError {
    return new EngineError('unsupported_parameter', `${this.#what} uses ${what} at character ${this.at + 1}, which cannot be enforced.`);
  }
}
