// Owns the step from GGUF's vocabulary to what the engine needs of a tokenizer: tokenizer.json, BOS, EOS tokens, chat template.
// Two models exist in the supported families: `gpt2` (byte-level BPE) and `llama` (SentencePiece with scores).
import { EngineError } from '../../../errors.ts';
import type { SourceTokenizer, TokenizerJson } from '../source-model.ts';
import { byteLevelJson } from './byte-level.ts';
import type { Metadata } from './metadata.ts';
import { sentencePieceJson } from './sentencepiece.ts';
import { checkedToken, controlToken, invalidTokenizer, readVocabulary, type GgufVocabulary } from './vocabulary.ts';

/** Tokens that end a turn in the supported families, whatever the metadata says of them. */
const END_OF_TURN = ['<|im_end|>', '<|eot_id|>', '<|eom_id|>', '<|end|>', '<|end_of_text|>', '<|endoftext|>', '<end_of_turn>'];

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
    addBos: bosToken !== null && (metadata.boolean('tokenizer.ggml.add_bos_token') ?? addsBosUnlessTold(metadata)),
    chatTemplate: metadata.string('tokenizer.chat_template'),
  };
}

/** Files from before the flag existed: SentencePiece and llama 3 vocabularies begin with BOS, other BPE ones do not. */
function addsBosUnlessTold(metadata: Metadata): boolean {
  const isLlama3 = ['llama3', 'llama-v3', 'llama-bpe'].includes(metadata.string('tokenizer.ggml.pre') ?? '');
  return isLlama3 || metadata.string('tokenizer.ggml.model') === 'llama';
}

function readTokenizerJson(metadata: Metadata, vocabulary: GgufVocabulary): TokenizerJson {
  const model = metadata.string('tokenizer.ggml.model') ?? 'none';
  if (model === 'gpt2') return byteLevelJson(metadata, vocabulary);
  if (model !== 'llama')
    throw new EngineError('unsupported_model', `The tokenizer model ${model.slice(0, 40)} is not supported; gpt2 and llama are.`);
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores?.length !== vocabulary.pieces.length) throw invalidTokenizer('its tokens have no scores');
  return sentencePieceJson(vocabulary, scores, metadata.boolean('tokenizer.ggml.add_space_prefix') ?? true);
}
