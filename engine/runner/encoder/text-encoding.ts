// Owns how a text or a pair of texts becomes an encoder's tokens: special tokens in their places, the limit, and where to cut.
// Runs inside the tokenizer worker; knows nothing about threads.
import type { Tokenizer } from '@huggingface/tokenizers';
import { EngineError } from '../../errors.ts';
import type { EncodeInput } from '../protocol.ts';
import type { EncoderText } from './encoder-session.ts';

export interface TextEncodingOptions {
  readonly tokenizer: Tokenizer;
  /** Of one text, special tokens included. */
  readonly maxTokens: number;
  readonly vocabSize: number;
}

export interface EncodeAsk {
  /** Place among the request's inputs, for the refusal. */
  readonly index: number;
  readonly truncate: boolean;
}

/** Special tokens around one text: `before` text `after`; around a pair: `before` text `between` other `after`. */
interface Frame {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
}

/** Characters of a long text that are tried first, for each token that it may have. */
const CHARACTERS_PER_TOKEN = 16;
/** Tokens near the cut of a long text's beginning may differ from those of the whole; these many behind the limit are not looked at. */
const CUT_MARGIN = 64;

export class TextEncoding {
  readonly #options: TextEncodingOptions;
  readonly #single: Frame;
  readonly #pair: Frame;
  /** A query is asked with many documents. */
  #lastText: { readonly text: string; readonly tokens: readonly number[] } | null = null;

  constructor(options: TextEncodingOptions) {
    this.#options = options;
    this.#single = probeFrame(options.tokenizer, null);
    this.#pair = probeFrame(options.tokenizer, 'b');
  }

  /** @throws EngineError `context_length_exceeded`, `invalid_request`, each naming the input */
  encode(input: EncodeInput, ask: EncodeAsk): EncoderText {
    switch (input.kind) {
      case 'tokens':
        return this.#given(input.tokens, ask);
      case 'text':
        return this.#text(input.text, ask);
      case 'pair':
        return this.#textPair(input.text, input.other, ask);
    }
  }

  #given(tokens: readonly number[], ask: EncodeAsk): EncoderText {
    const { maxTokens, vocabSize } = this.#options;
    const foreign = tokens.find((token) => token < 0 || token >= vocabSize);
    if (foreign !== undefined) throw refusal('invalid_request', ask, `holds ${foreign}, which is no token id below ${vocabSize}`);
    if (tokens.length === 0) throw refusal('invalid_request', ask, 'is empty');
    if (tokens.length > maxTokens && !ask.truncate) throw this.#tooLong(ask, String(tokens.length));
    const kept = Int32Array.from(tokens.slice(0, maxTokens));
    return { tokens: kept, secondStart: kept.length };
  }

  #text(text: string, ask: EncodeAsk): EncoderText {
    const { before, after } = this.#single;
    const room = this.#options.maxTokens - before.length - after.length;
    const content = this.#content(text, room, ask);
    const tokens = Int32Array.from([...before, ...content, ...after]);
    return { tokens, secondStart: tokens.length };
  }

  #textPair(text: string, other: string, ask: EncodeAsk): EncoderText {
    const { before, between, after } = this.#pair;
    const room = this.#options.maxTokens - before.length - between.length - after.length;
    const first = this.#cachedContent(text, room, ask);
    const second = this.#content(other, room - first.length, ask, first.length);
    const head = [...before, ...first, ...between];
    return { tokens: Int32Array.from([...head, ...second, ...after]), secondStart: head.length };
  }

  #cachedContent(text: string, room: number, ask: EncodeAsk): readonly number[] {
    if (this.#lastText?.text !== text) this.#lastText = { text, tokens: this.#leading(text, room) };
    const { tokens } = this.#lastText;
    if (tokens.length < room) return tokens;
    // Cutting the query would leave no room for the document.
    throw this.#tooLong(ask, `${tokens.length} or more`);
  }

  /** At most `room` tokens of the text. `beside` are those of the text before it, for the refusal. */
  #content(text: string, room: number, ask: EncodeAsk, beside = 0): readonly number[] {
    const content = this.#leading(text, room);
    if (content.length <= room) return content;
    if (ask.truncate) return content.slice(0, room);
    const isWhole = text.length <= room * CHARACTERS_PER_TOKEN;
    const special = this.#options.maxTokens - room - beside;
    throw this.#tooLong(ask, isWhole ? String(content.length + beside + special) : `more than ${this.#options.maxTokens}`);
  }

  /** The tokens of the text, or more than `room` of its first ones.
   *  NOTE: a text of megabytes is not tokenized beyond what can matter: first its beginning, then four times as much, until it is enough. */
  #leading(text: string, room: number): readonly number[] {
    for (let characters = Math.max(1, room) * CHARACTERS_PER_TOKEN; characters < text.length; characters *= 4) {
      const tokens = this.#plain(text.slice(0, endOfWord(text, characters)));
      if (tokens.length > room + CUT_MARGIN) return tokens.slice(0, -CUT_MARGIN);
    }
    return this.#plain(text);
  }

  #plain(text: string): readonly number[] {
    return text === '' ? [] : this.#options.tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  #tooLong(ask: EncodeAsk, count: string): EngineError {
    const { maxTokens } = this.#options;
    return refusal(
      'context_length_exceeded',
      ask,
      `has ${count} tokens, and the model takes at most ${maxTokens}; shorten it or set truncate`,
    );
  }
}

function refusal(code: 'context_length_exceeded' | 'invalid_request', { index }: EncodeAsk, problem: string): EngineError {
  return new EngineError(code, `The text at index ${index} ${problem}.`, { param: `input[${index}]` });
}

/** The first end of a word at or behind `at`, as far as one is near; never the middle of a surrogate pair. */
function endOfWord(text: string, at: number): number {
  const near = text.slice(at, at + CUT_MARGIN).search(/\s/);
  if (near >= 0) return at + near;
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : at;
}

/** Where the tokenizer puts special tokens, read off from an example. */
function probeFrame(tokenizer: Tokenizer, other: string | null): Frame {
  const first = tokenizer.encode('a', { add_special_tokens: false }).ids;
  const second = other === null ? [] : tokenizer.encode(other, { add_special_tokens: false }).ids;
  const whole = tokenizer.encode('a', { add_special_tokens: true, text_pair: other }).ids;
  const firstAt = indexOfRun(whole, first, 0);
  const firstEnd = firstAt + first.length;
  const secondAt = other === null ? firstEnd : indexOfRun(whole, second, firstEnd);
  return { before: whole.slice(0, firstAt), between: whole.slice(firstEnd, secondAt), after: whole.slice(secondAt + second.length) };
}

/** @throws EngineError `unsupported_model` when the run is not there */
function indexOfRun(tokens: readonly number[], run: readonly number[], from: number): number {
  for (let at = from; at + run.length <= tokens.length; at++) if (run.every((token, place) => tokens[at + place] === token)) return at;
  throw new EngineError('unsupported_model', 'The tokenizer changes a text when it adds special tokens.');
}
