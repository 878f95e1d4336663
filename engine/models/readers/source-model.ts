// Owns the result of reading a model, whatever format it came in: tensors by canonical name, config, tokenizer, facts.
// Knows no file format.
import type { DecoderConfig } from '../manifest.ts';
import type { SourceType, TensorSource } from './tensors.ts';

export interface SourceTokenizer {
  /** `tokenizer.json` in the Hugging Face format, parsed; ready for @huggingface/tokenizers. */
  readonly tokenizerJson: TokenizerJson;
  readonly bosToken: number | null;
  /** Tokens that end a turn, without repetition. */
  readonly eosTokens: readonly number[];
  /** Whether plain text is prefixed with the BOS token. */
  readonly addBos: boolean;
  /** Jinja source; null when the model has none. */
  readonly chatTemplate: string | null;
}

export interface SourceModel {
  /** Tells it from an `EncoderSource`. */
  readonly kind?: 'decoder';
  /** Names as Hugging Face has them: `model.embed_tokens.weight`, `model.layers.0.self_attn.q_proj.weight`, `model.norm.weight`,
   *  `lm_head.weight` (absent when the embeddings are tied). */
  readonly tensors: TensorSource;
  readonly config: DecoderConfig;
  readonly tokenizer: SourceTokenizer;
  /** Rows of q and k are interleaved for rotation of neighbouring pairs, per head (GGUF, llama and mistral). */
  readonly qkRowsPermuted: boolean;
  readonly licence: string | null;
  /** Weights of all tensors counted once. */
  readonly parameterCount: number;
  /** The model's own name, for people. */
  readonly name: string;
  /** The type that most matrix weights have. */
  readonly defaultSourceType: SourceType;
}

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly normalized?: boolean;
}

/** The parts of `tokenizer.json` that this engine reads itself; the rest is for the tokenizer library. */
export interface TokenizerJson {
  readonly added_tokens?: readonly AddedToken[];
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
  readonly post_processor?: unknown;
  readonly decoder?: unknown;
  readonly model: {
    readonly type?: string;
    /** Piece to token (BPE), or `[piece, score]` in token order (Unigram). */
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}
