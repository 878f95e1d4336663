// Owns the result of reading an encoder, whatever its family calls things: tensors by canonical name, config, tokenizer, facts.
import type { EncoderConfig } from '../../manifest.ts';
import type { TokenizerJson } from '../source-model.ts';
import type { SourceType, TensorSource } from '../tensors.ts';

export interface EncoderSource {
  readonly kind: 'encoder';
  /** Canonical names: see `tensor-places.ts`. A bias that the family does not have is absent. */
  readonly tensors: TensorSource;
  readonly config: EncoderConfig;
  /** `tokenizer.json` in the Hugging Face format, without truncation or padding. */
  readonly tokenizerJson: TokenizerJson;
  readonly licence: string | null;
  /** Weights of all tensors that are used, counted once. */
  readonly parameterCount: number;
  /** The model's own name, for people. */
  readonly name: string;
  /** The type that most matrix weights have. */
  readonly defaultSourceType: SourceType;
}
