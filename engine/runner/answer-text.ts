// Owns one answer's way out: tokens in, text and the tokens that it is made of out, cut at stop strings.
// Text that may be the beginning of a stop string is held back, and given out at every kind of finish.
import { Detokenizer, decodeUtf8, type TokenText } from './detokenize.ts';
import type { TokenLogprob } from './protocol.ts';
import type { TokenWithLogprob } from './sampling/logprobs.ts';
import { findStop, safeLength, type StopMatch } from './stop-strings.ts';

export interface TextPiece {
  readonly text: string;
  readonly tokens: readonly number[];
  /** Of `tokens`; null when they were not asked for. */
  readonly logprobs: readonly TokenLogprob[] | null;
}

/** A token's log-probability as the sampling rooms give it, without text. */
export type RawLogprob = TokenWithLogprob & { readonly top: readonly TokenWithLogprob[] };

interface HeldToken {
  readonly token: number;
  readonly logprob: RawLogprob | null;
  /** Places in the answer's text, in UTF-16 units; `end` covers a character the token only begins. */
  readonly start: number;
  readonly end: number;
}

export class AnswerText {
  readonly #vocab: TokenText;
  readonly #stops: readonly string[];
  readonly #detokenizer: Detokenizer;
  #held: HeldToken[] = [];
  /** Text not given out yet, and where it begins in the answer. */
  #text = '';
  #offset = 0;

  constructor(vocab: TokenText, stops: readonly string[]) {
    this.#vocab = vocab;
    this.#stops = stops;
    this.#detokenizer = new Detokenizer(vocab);
  }

  /** Takes a token; the stop string that it completes, if any. */
  push(token: number, logprob: RawLogprob | null): StopMatch | null {
    const before = this.#text.length;
    this.#text += this.#detokenizer.push(token);
    const end = this.#offset + this.#text.length + (this.#detokenizer.isInsideCharacter ? 1 : 0);
    this.#held.push({ token, logprob, start: this.#offset + before, end });
    return this.#stops.length === 0 ? null : findStop(this.#text, this.#stops, before);
  }

  /** What can be given out now; null when nothing can. */
  take(): TextPiece | null {
    const length = safeLength(this.#text, this.#stops);
    return length === 0 ? null : this.#cut(length, ({ end }) => end <= this.#offset + length);
  }

  /**
   * All that is left, at the end of the answer; null when there is nothing. Text from the stop string on is dropped, and on demand the
   * beginning of a character that was never finished, which otherwise becomes U+FFFD.
   */
  finish(match: StopMatch | null, { dropsCut = false }: { dropsCut?: boolean } = {}): TextPiece | null {
    if (match === null && !dropsCut) this.#text += this.#detokenizer.flush();
    const length = match === null ? this.#text.length : match.at;
    const piece = this.#cut(length, ({ start }) => match === null || start < this.#offset + length);
    return piece.text === '' && piece.tokens.length === 0 ? null : piece;
  }

  #cut(length: number, belongs: (held: HeldToken) => boolean): TextPiece {
    const kept = this.#held.findIndex((held) => !belongs(held));
    const tokens = this.#held.splice(0, kept < 0 ? this.#held.length : kept);
    const text = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    this.#offset += length;
    return { text, tokens: tokens.map(({ token }) => token), logprobs: this.#describe(tokens) };
  }

  #describe(tokens: readonly HeldToken[]): readonly TokenLogprob[] | null {
    if (tokens.length > 0 && tokens[0]?.logprob === null) return null;
    return tokens.flatMap(({ logprob }) => (logprob === null ? [] : [describeLogprob(this.#vocab, logprob)]));
  }
}

/** Adds each token's text and bytes. */
export function describeLogprob(vocab: TokenText, { token, logprob, top }: RawLogprob): TokenLogprob {
  return { ...withText(vocab, { token, logprob }), top: top.map((entry) => withText(vocab, entry)) };
}

function withText(vocab: TokenText, { token, logprob }: TokenWithLogprob): Omit<TokenLogprob, 'top'> {
  const bytes = vocab.bytesOf(token);
  return { token, text: decodeUtf8(bytes), bytes: Array.from(bytes), logprob };
}
