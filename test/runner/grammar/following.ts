// Follows grammars with a vocabulary of single bytes and one of longer tokens, and writes random texts that they allow.
import { compileSpec } from '../../../engine/runner/grammar/compile-spec.ts';
import { CompiledGrammar, type GrammarVocab } from '../../../engine/runner/grammar/token-filter.ts';
import { buildTrie } from '../../../engine/runner/grammar/token-trie.ts';
import type { GrammarSpec } from '../../../engine/runner/protocol.ts';

export const EOS = 256;

/** A spec without the field that all share. */
type Fieldless<T> = T extends unknown ? Omit<T, 'field'> : never;
export type Spec = Fieldless<GrammarSpec>;

/** Tokens 0 to 255 are bytes, 256 is the end; the others are these texts. */
export function vocabOf(texts: readonly string[] = [], marks: readonly string[] = []): GrammarVocab {
  const longer = [...texts, ...marks].map((text) => new Uint8Array(Buffer.from(text)));
  const bytes = [...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), new Uint8Array(0), ...longer];
  const firstMark = 257 + texts.length;
  const isSpecial = (token: number): boolean => token === EOS || token >= firstMark;
  const trie = buildTrie(bytes.map((text, token) => (isSpecial(token) ? new Uint8Array(0) : text)));
  const text = { bytesOf: (token: number): Uint8Array => bytes[token] ?? new Uint8Array(0), isSpecial };
  return { text, size: bytes.length, eosTokens: new Set([EOS]), trie, longest: Math.max(...bytes.map(({ length }) => length)) };
}

const BYTES = vocabOf();

export function compiled(spec: Spec, vocab: GrammarVocab = BYTES, visible: readonly number[] = []): CompiledGrammar {
  return new CompiledGrammar(compileSpec({ field: 'grammar', ...spec }), vocab, visible);
}

/** Whether the whole text is one that the grammar allows. */
export function matches(grammar: CompiledGrammar, text: string): boolean {
  const cursor = grammar.begin();
  for (const byte of Buffer.from(text)) {
    if (!cursor.allows(byte)) return false;
    cursor.accept(byte);
  }
  return cursor.allows(EOS);
}

/** A text that the grammar allows; `pick` gives numbers in [0, 1). After `soon` bytes it ends where it can, and else turns to what closes. */
export function randomText(grammar: CompiledGrammar, pick: () => number, soon = 200): string {
  const cursor = grammar.begin();
  const bytes: number[] = [];
  while (bytes.length < soon * 20) {
    const isLate = bytes.length > soon;
    if (cursor.allows(EOS) && (isLate || pick() < 0.2 || cursor.isComplete)) break;
    const allowed = allowedBytes(cursor.mask());
    const closing = allowed.filter((byte) => CLOSING.has(byte));
    const plain = allowed.filter((one) => one >= 0x20 && one < 0x7f);
    const late = closing.length > 0 && pick() < 0.5 ? closing : plain;
    const from = isLate && late.length > 0 ? late : allowed;
    const byte = from[Math.floor(pick() * from.length)];
    if (byte === undefined) throw new Error(`Nothing may follow ${JSON.stringify(Buffer.from(bytes).toString())}.`);
    cursor.accept(byte);
    bytes.push(byte);
  }
  if (!cursor.allows(EOS)) throw new Error(`No end was found: ${JSON.stringify(Buffer.from(bytes).toString().slice(0, 300))}`);
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
}

const CLOSING = new Set(Buffer.from('"]}'));

export function allowedTokens(mask: Uint32Array, size: number): number[] {
  return Array.from({ length: size }, (_, token) => token).filter((token) => (((mask[token >>> 5] ?? 0) >>> (token & 31)) & 1) === 1);
}

const allowedBytes = (mask: Uint32Array): number[] => allowedTokens(mask, 256);

/** Numbers in [0, 1) that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
