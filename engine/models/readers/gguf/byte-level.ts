// Owns the step from a byte-level BPE vocabulary with merges to a tokenizer.json.
import { EngineError } from '../../../errors.ts';
import type { TokenizerJson } from '../source-model.ts';
import type { Metadata } from './metadata.ts';
import { preTokenizerFor } from './pre-tokenizers.ts';
import { addedTokens, invalidTokenizer, pieceTable, type GgufVocabulary } from './vocabulary.ts';

/** Throws `unsupported_model` for a pre-tokenizer that is not in the table. */
export function byteLevelJson(metadata: Metadata, vocabulary: GgufVocabulary): TokenizerJson {
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

/** The first space that is not the first character parts the two pieces. */
function mergePair(merge: string): readonly [string, string] {
  const space = merge.indexOf(' ', 1);
  if (space < 0) throw invalidTokenizer(`its merge ${JSON.stringify(merge.slice(0, 40))} is not a pair`);
  return [merge.slice(0, space), merge.slice(space + 1)];
}
