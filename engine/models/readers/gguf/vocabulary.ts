// Owns the vocabulary of a GGUF file: its tokens, what kind each is, and questions about them.
import { EngineError } from '../../../errors.ts';
import type { AddedToken } from '../source-model.ts';
import type { Metadata } from './metadata.ts';

/** `llama_token_type` of llama.h. */
export const TYPE_NORMAL = 1;
export const TYPE_UNKNOWN = 2;
const TYPE_CONTROL = 3;
const TYPE_USER_DEFINED = 4;

/** The vocabulary as GGUF stores it. */
export interface GgufVocabulary {
  readonly pieces: readonly string[];
  /** One of `llama_token_type` for each piece. */
  readonly types: ArrayLike<number>;
}

export function readVocabulary(metadata: Metadata, vocabSize: number): GgufVocabulary {
  const pieces = metadata.strings('tokenizer.ggml.tokens') ?? [];
  if (pieces.length === 0 || pieces.length > vocabSize)
    throw invalidTokenizer(`it has ${pieces.length} tokens and embeddings for ${vocabSize}`);
  const types = metadata.numbers('tokenizer.ggml.token_type') ?? new Int32Array(pieces.length).fill(TYPE_NORMAL);
  if (types.length !== pieces.length) throw invalidTokenizer('its tokens and their types differ in number');
  return { pieces, types };
}

/** Piece to token; of two tokens with one text the first wins, as the other can never be made from text. */
export function pieceTable(vocabulary: GgufVocabulary): Record<string, number> {
  const table = new Map<string, number>();
  vocabulary.pieces.forEach((piece, token) => {
    if (!table.has(piece)) table.set(piece, token);
  });
  return Object.fromEntries(table);
}

/** Control, unknown and user-defined tokens, which are matched as they stand before the text is split. */
export function addedTokens(vocabulary: GgufVocabulary): readonly AddedToken[] {
  return vocabulary.pieces.flatMap((content, id) => {
    const type = vocabulary.types[id];
    if (content === '' || (type !== TYPE_UNKNOWN && type !== TYPE_CONTROL && type !== TYPE_USER_DEFINED)) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: type !== TYPE_USER_DEFINED }];
  });
}

export function controlToken(vocabulary: GgufVocabulary, text: string): number | null {
  const token = vocabulary.pieces.indexOf(text);
  return token >= 0 && vocabulary.types[token] !== TYPE_NORMAL ? token : null;
}

export function checkedToken(token: number | null, vocabulary: GgufVocabulary): number | null {
  if (token === null) return null;
  if (!Number.isInteger(token) || token < 0 || token >= vocabulary.pieces.length) throw invalidTokenizer(`it names a token ${token}`);
  return token;
}

/** `model_file_invalid` that names the fault of the tokenizer. */
export function invalidTokenizer(fault: string): EngineError {
  return new EngineError('model_file_invalid', `The tokenizer of the GGUF file is not usable: ${fault}.`);
}
