// Owns the step from a tokenizer.json to the bytes that each token adds to a text.
// Knows the two spellings in use: byte-level (GPT-2's printable alphabet) and SentencePiece (`▁`, `<0xNN>`).
import { EngineError } from '../../errors.ts';
import type { TokenizerJson } from '../readers/source-model.ts';
import { FLAG_BYTE, FLAG_SPECIAL, type VocabEntry } from './vocab.ts';

type PieceSpelling = 'byte-level' | 'sentencepiece';

const utf8 = new TextEncoder();
const EMPTY: VocabEntry = { bytes: new Uint8Array(0), flags: FLAG_SPECIAL };
const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/;

/**
 * What each token adds to a text, in token order, at least `vocabSize` entries (a model's table is often padded beyond its
 * tokenizer; the padding tokens are special and empty). Throws `unsupported_model` for a decoder that is neither spelling.
 */
export function tokenBytes(tokenizer: TokenizerJson, vocabSize: number): readonly VocabEntry[] {
  const spelling = spellingOf(tokenizer);
  const entries = new Array<VocabEntry>(vocabSize).fill(EMPTY);
  for (const [piece, token] of piecesOf(tokenizer)) entries[token] = pieceEntry(piece, spelling);
  for (const added of tokenizer.added_tokens ?? []) {
    entries[added.id] = { bytes: utf8.encode(added.content), flags: added.special ? FLAG_SPECIAL : 0 };
  }
  for (let i = 0; i < entries.length; i++) entries[i] ??= EMPTY;
  return entries;
}

/** GPT-2's alphabet: printable Latin-1 bytes stand for themselves, the others for U+0100 and up in order of their value. */
export function byteLevelAlphabet(): ReadonlyMap<string, number> {
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    alphabet.set(String.fromCodePoint(printable ? byte : next++), byte);
  }
  return alphabet;
}

const ALPHABET = byteLevelAlphabet();

function pieceEntry(piece: string, spelling: PieceSpelling): VocabEntry {
  if (spelling === 'byte-level') return byteLevelEntry(piece);
  const byte = BYTE_TOKEN.exec(piece)?.[1];
  if (byte !== undefined) return { bytes: Uint8Array.of(Number.parseInt(byte, 16)), flags: FLAG_BYTE };
  return { bytes: utf8.encode(piece.replaceAll('▁', ' ')), flags: 0 };
}

function byteLevelEntry(piece: string): VocabEntry {
  const bytes: number[] = [];
  for (const character of piece) {
    const byte = ALPHABET.get(character);
    // A piece outside the alphabet was never produced by the byte-level split: it is literal text.
    if (byte === undefined) return { bytes: utf8.encode(piece), flags: 0 };
    bytes.push(byte);
  }
  const isPartial = bytes.length === 1 && (bytes[0] ?? 0) >= 0x80;
  return { bytes: Uint8Array.from(bytes), flags: isPartial ? FLAG_BYTE : 0 };
}

function piecesOf(tokenizer: TokenizerJson): Iterable<readonly [string, number]> {
  const vocab = tokenizer.model.vocab;
  return Array.isArray(vocab) ? vocab.map(([piece]: readonly [string, number], token) => [piece, token] as const) : Object.entries(vocab);
}

function spellingOf(tokenizer: TokenizerJson): PieceSpelling {
  const types = decoderTypes(tokenizer.decoder);
  if (types.includes('ByteLevel')) return 'byte-level';
  if (types.includes('ByteFallback') || types.includes('Metaspace')) return 'sentencepiece';
  throw new EngineError('unsupported_model', `The tokenizer's decoder (${types.join(', ') || 'none'}) is not supported.`);
}

function decoderTypes(decoder: unknown): readonly string[] {
  if (typeof decoder !== 'object' || decoder === null) return [];
  const { type, decoders } = decoder as { type?: unknown; decoders?: unknown };
  const own = typeof type === 'string' ? [type] : [];
  return Array.isArray(decoders) ? [...own, ...decoders.flatMap(decoderTypes)] : own;
}
