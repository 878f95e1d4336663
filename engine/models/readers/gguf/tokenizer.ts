// Owns the step from GGUF's vocabulary to what the engine needs of a tokenizer: tokenizer.json, BOS, EOS tokens, chat template.
// Two models exist in the supported families: `gpt2` (byte-level BPE) and `llama` (SentencePiece with scores).
import { EngineError } from '../../../errors.ts';
import type { AddedToken, SourceTokenizer, TokenizerJson } from '../source-model.ts';
import type { Metadata } from './metadata.ts';
import { preTokenizerFor } from './pre-tokenizers.ts';
import { sentencePieceJson } from './sentencepiece.ts';

/** `llama_token_type` of llama.h. */
const TYPE_UNKNOWN = 2;
const TYPE_CONTROL = 3;
const TYPE_USER_DEFINED = 4;

/** Tokens that end a turn in the supported families, whatever the metadata says of them. */
const END_OF_TURN = ['<|im_end|>', '<|eot_id|>', '<|eom_id|>', '<|end|>', '<|end_of_text|>', '<|endoftext|>', '<end_of_turn>'];

/** The vocabulary as GGUF stores it. */
export interface GgufVocabulary {
  readonly pieces: readonly string[];
  /** One of `llama_token_type` for each piece. */
  readonly types: ArrayLike<number>;
}

/** Throws `unsupported_model` for tokenizers outside the table, `model_file_invalid` for one at odds with itself. */
export function ggufTokenizer(metadata: Metadata, vocabSize: number): SourceTokenizer {
  const vocabulary = readVocabulary(metadata, vocabSize);
  const tokenId = (key: string): number | null => checkedToken(metadata.number(`tokenizer.ggml.${key}_token_id`), vocabulary);
  const bosToken = tokenId('bos');
  const tokenizerJson = readTokenizerJson(metadata, vocabulary);
  const stated = ['eos', 'eot', 'eom'].map(tokenId);
  const named = END_OF_TURN.map((text) => controlToken(vocabulary, text));
  return {
    tokenizerJson,
    bosToken,
    eosTokens: [...new Set([...stated, ...named].filter((token) => token !== null))],
    addBos: bosToken !== null && (metadata.boolean('tokenizer.ggml.add_bos_token') ?? metadata.string('tokenizer.ggml.model') === 'llama'),
    chatTemplate: metadata.string('tokenizer.chat_template'),
  };
}

function readTokenizerJson(metadata: Metadata, vocabulary: GgufVocabulary): TokenizerJson {
  const model = metadata.string('tokenizer.ggml.model') ?? 'none';
  if (model === 'gpt2') return byteLevelJson(metadata, vocabulary);
  if (model !== 'llama') throw new EngineError('unsupported_model', `The tokenizer model ${model.slice(0, 40)} is not supported; gpt2 and llama are.`);
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores?.length !== vocabulary.pieces.length) throw refused('its tokens have no scores');
  return sentencePieceJson(vocabulary, scores, metadata.boolean('tokenizer.ggml.add_space_prefix') ?? true);
}

function byteLevelJson(metadata: Metadata, vocabulary: GgufVocabulary): TokenizerJson {
  const name = metadata.string('tokenizer.ggml.pre') ?? 'default';
  const pre = preTokenizerFor(name);
  if (pre === null) throw new EngineError('unsupported_model', `The pre-tokenizer ${name.slice(0, 40)} is not supported.`);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    normalizer: pre.normalizer,
    pre_tokenizer: pre.preTokenizer,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoreMerges,
      vocab: pieceTable(vocabulary),
      merges: (metadata.strings('tokenizer.ggml.merges') ?? []).map(mergePair),
    },
  };
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

/** The first space that is not the first character parts the two pieces. */
function mergePair(merge: string): readonly [string, string] {
  const space = merge.indexOf(' ', 1);
  if (space < 0) throw refused(`its merge ${JSON.stringify(merge.slice(0, 40))} is not a pair`);
  return [merge.slice(0, space), merge.slice(space + 1)];
}

function readVocabulary(metadata: Metadata, vocabSize: number): GgufVocabulary {
  const pieces = metadata.strings('tokenizer.ggml.tokens') ?? [];
  if (pieces.length === 0 || pieces.length > vocabSize) throw refused(`it has ${pieces.length} tokens and embeddings for ${vocabSize}`);
  const types = metadata.numbers('tokenizer.ggml.token_type') ?? new Int32Array(pieces.length).fill(1);
  if (types.length !== pieces.length) throw refused('its tokens and their types differ in number');
  return { pieces, types };
}

function controlToken(vocabulary: GgufVocabulary, text: string): number | null {
  const token = vocabulary.pieces.indexOf(text);
  return token >= 0 && vocabulary.types[token] !== 1 ? token : null;
}

function checkedToken(token: number | null, vocabulary: GgufVocabulary): number | null {
  if (token === null) return null;
  if (!Number.isInteger(token) || token < 0 || token >= vocabulary.pieces.length) throw refused(`it names a token ${token}`);
  return token;
}

function refused(fault: string): EngineError {
  return new EngineError('model_file_invalid', `The tokenizer of the GGUF file is not usable: ${fault}.`);
}
