// Owns where one answer stands in its grammar, and which tokens may come next. Knows nothing about probabilities.
import { EngineError } from '../../errors.ts';
import type { TokenText } from '../detokenize.ts';
import type { Automaton } from './automaton.ts';
import { GrammarMatcher, type Configuration } from './matcher.ts';
import type { TokenTrie } from './token-trie.ts';

/** What sampling asks about the next token. */
export interface TokenFilter {
  allows(token: number): boolean;
  /** All tokens that are allowed, one bit each, in words of 32. Not to be changed. */
  mask(): Uint32Array;
}

/** What all answers of a model share. */
export interface GrammarVocab {
  readonly text: TokenText;
  readonly size: number;
  readonly eosTokens: ReadonlySet<number>;
  readonly trie: TokenTrie;
  /** Bytes of the longest token. */
  readonly longest: number;
}

/** Bytes of one token that are looked at: longer ones are runs of blanks or rules. */
const LONGEST_DRAFT = 64;

const MAX_MASKS = 128;

/** The masks that were computed last. */
class Masks {
  readonly #kept = new Map<string, Uint32Array>();

  get(key: string, compute: () => Uint32Array): Uint32Array {
    const mask = this.#kept.get(key) ?? compute();
    this.#kept.delete(key);
    this.#kept.set(key, mask);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_MASKS && oldest !== undefined) this.#kept.delete(oldest);
    return mask;
  }
}

/** A grammar that is ready to be followed by any number of answers. */
export class CompiledGrammar {
  readonly #matcher: GrammarMatcher;
  readonly #vocab: GrammarVocab;
  /** Texts of markers that this grammar writes as text, such as `<tool_call>`. */
  readonly text: TokenText;
  readonly #visible: readonly number[];
  readonly #masks = new Masks();

  constructor(automaton: Automaton, vocab: GrammarVocab, visible: readonly number[] = []) {
    this.#matcher = new GrammarMatcher(automaton);
    this.#vocab = vocab;
    this.#visible = visible;
    this.text = visible.length === 0 ? vocab.text : withVisible(vocab.text, new Set(visible));
  }

  /** A new answer. */
  begin(): GrammarCursor {
    return new GrammarCursor({ matcher: this.#matcher, vocab: this.#vocab, text: this.text, visible: this.#visible, masks: this.#masks });
  }
}

/** The markers named here count as text. */
export function withVisible(text: TokenText, visible: ReadonlySet<number>): TokenText {
  return { bytesOf: (token) => text.bytesOf(token), isSpecial: (token) => text.isSpecial(token) && !visible.has(token) };
}

interface CursorOptions {
  readonly matcher: GrammarMatcher;
  readonly vocab: GrammarVocab;
  readonly text: TokenText;
  readonly visible: readonly number[];
  readonly masks: Masks;
}

export class GrammarCursor implements TokenFilter {
  readonly #options: CursorOptions;
  #at: Configuration;

  constructor(options: CursorOptions) {
    this.#options = options;
    this.#at = options.matcher.start;
  }

  /** The answer is whole and nothing can follow. */
  get isComplete(): boolean {
    return this.#at.accepts && this.#at.places.length === 0;
  }

  /** @throws EngineError `grammar_too_complex` */
  allows(token: number): boolean {
    this.#options.matcher.resetWork();
    return this.#isEnd(token) ? this.#at.accepts : this.#after(token) !== null;
  }

  /** The answer has grown by this token. @throws EngineError `grammar_failed` for one that is not allowed */
  accept(token: number): void {
    if (this.#isEnd(token)) return;
    this.#options.matcher.resetWork();
    const after = this.#after(token);
    if (after === null) throw new EngineError('grammar_failed', 'The answer has left its grammar. This is a bug.');
    this.#at = after;
  }

  mask(): Uint32Array {
    const { matcher, vocab, masks } = this.#options;
    return masks.get(matcher.likeness(this.#at, vocab.longest), () => this.#computeMask());
  }

  /** Tokens for the text that must follow, the longest first; a model may cut it otherwise, so these are guesses. At most `limit`. */
  forcedTokens(limit: number): readonly number[] {
    const forced = this.#forcedBytes();
    const tokens: number[] = [];
    for (let from = 0; from < forced.length && tokens.length < limit;) {
      const found = longestToken(this.#options.vocab.trie, forced.subarray(from));
      // The last token may be the beginning of a longer one, whose rest is free.
      if (found === null || from + found.length >= forced.length) break;
      tokens.push(found.token);
      from += found.length;
    }
    return tokens;
  }

  #forcedBytes(): Uint8Array {
    const { matcher } = this.#options;
    matcher.resetWork();
    const bytes: number[] = [];
    let at: Configuration | null = this.#at;
    while (at !== null && bytes.length < LONGEST_DRAFT) {
      const byte = matcher.onlyByte(at);
      if (byte === null) break;
      bytes.push(byte);
      at = matcher.step(at, byte);
    }
    return Uint8Array.from(bytes);
  }

  #isEnd(token: number): boolean {
    return this.#options.vocab.eosTokens.has(token);
  }

  #after(token: number): Configuration | null {
    const { text, matcher } = this.#options;
    const bytes = text.bytesOf(token);
    if (bytes.length === 0 || text.isSpecial(token)) return null;
    let at: Configuration | null = this.#at;
    for (let i = 0; i < bytes.length && at !== null; i++) at = matcher.step(at, bytes[i] ?? 0);
    return at;
  }

  #computeMask(): Uint32Array {
    const { vocab, matcher, visible } = this.#options;
    const mask = new Uint32Array(Math.ceil(vocab.size / 32));
    matcher.resetWork();
    markAllowed(vocab.trie, matcher, this.#at, mask);
    for (const token of visible) if (this.#after(token) !== null) mark(mask, token);
    if (this.#at.accepts) for (const token of vocab.eosTokens) mark(mask, token);
    return mask;
  }
}

function mark(mask: Uint32Array, token: number): void {
  mask[token >>> 5] = (mask[token >>> 5] ?? 0) | (1 << (token & 31));
}

function markAllowed(trie: TokenTrie, matcher: GrammarMatcher, from: Configuration, mask: Uint32Array): void {
  const { bytes, depths, ends, tokens, twins } = trie;
  const path: (Configuration | null)[] = [from];
  for (let node = 0; node < bytes.length;) {
    const depth = depths[node] ?? 1;
    const before = path[depth - 1] ?? null;
    const after = before === null ? null : matcher.step(before, bytes[node] ?? 0);
    if (after === null) {
      node = ends[node] ?? bytes.length;
      continue;
    }
    path[depth] = after;
    for (let token = tokens[node] ?? -1; token >= 0; token = twins[token] ?? -1) mark(mask, token);
    node++;
  }
}

/** The longest token that these bytes begin with. */
function longestToken({ bytes, depths, ends, tokens }: TokenTrie, text: Uint8Array): { token: number; length: number } | null {
  let found: { token: number; length: number } | null = null;
  for (let node = 0; node < bytes.length;) {
    const depth = depths[node] ?? 1;
    if (bytes[node] !== text[depth - 1]) {
      node = ends[node] ?? bytes.length;
      continue;
    }
    const token = tokens[node] ?? -1;
    if (token >= 0) found = { token, length: depth };
    if ((depths[node + 1] ?? 0) <= depth) break;
    node++;
  }
  return found;
}
