// Owns the step from tokens to text: bytes of tokens joined to whole UTF-8 characters. Knows nothing about stop strings.

/** What the runner needs of a vocabulary: `Vocab` of the models room, or a small one in tests. */
export interface TokenText {
  bytesOf(token: number): Uint8Array;
  /** Markers such as the end of a turn: no text. */
  isSpecial(token: number): boolean;
}

const decoder = (): TextDecoder => new TextDecoder('utf-8', { ignoreBOM: true });

/** Text of bytes that stand for themselves; what is not UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder().decode(bytes);
}

/** Turns one answer's tokens into text, piece by piece; a character is given out only when all its bytes are there. */
export class Detokenizer {
  readonly #vocab: TokenText;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(vocab: TokenText) {
    this.#vocab = vocab;
  }

  /** True when the last token ended inside a character. */
  get isInsideCharacter(): boolean {
    return this.#pending.length > 0;
  }

  /** The text that is whole once this token is added; often empty within a character, always for special tokens. */
  push(token: number): string {
    if (this.#vocab.isSpecial(token)) return '';
    const bytes = concat(this.#pending, this.#vocab.bytesOf(token));
    const whole = wholeCharactersLength(bytes);
    this.#pending = bytes.slice(whole);
    return decodeUtf8(bytes.subarray(0, whole));
  }

  /** What is left at the end: U+FFFD for a character that was never finished. */
  flush(): string {
    const rest = this.#pending;
    this.#pending = new Uint8Array(0);
    return decodeUtf8(rest);
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Bytes before a character that has begun and may still be completed (RFC 3629, table of well-formed sequences). */
export function wholeCharactersLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const start = bytes.length - back;
    const lead = bytes[start] ?? 0;
    if (lead < 0x80) return bytes.length;
    if (lead < 0xc0) continue;
    return isUnfinished(lead, bytes.subarray(start + 1)) ? start : bytes.length;
  }
  return bytes.length;
}

function isUnfinished(lead: number, rest: Uint8Array): boolean {
  const length = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
  if (rest.length + 1 >= length) return false;
  const second = rest[0];
  return second === undefined || isValidSecond(lead, second);
}

function isValidSecond(lead: number, second: number): boolean {
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second < 0xa0;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second < 0x90;
  return true;
}
