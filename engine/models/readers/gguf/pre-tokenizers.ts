// Owns the table from `tokenizer.ggml.pre` to the normalizer and pre-tokenizer of a tokenizer.json.
// Patterns are those of the models' own tokenizer.json. `Digits` is ASCII-only in @huggingface/tokenizers, hence Split.

export interface PreTokenizer {
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  /** Whole words of the vocabulary win over merges (BPE option `ignore_merges`). */
  readonly ignoreMerges: boolean;
}

const BYTE_LEVEL_WITH_SPLIT = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const TAIL = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const LLAMA3_PATTERN = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${TAIL}`;
const QWEN2_PATTERN = `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${TAIL}`;
const UPPER = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const LOWER = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
const TEKKEN_PATTERN =
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*|\\p{N}|` +
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

const split = (pattern: string): unknown => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false });
const sequence = (...pretokenizers: readonly unknown[]): unknown => ({ type: 'Sequence', pretokenizers });

const GPT2: PreTokenizer = { normalizer: null, preTokenizer: BYTE_LEVEL_WITH_SPLIT, ignoreMerges: false };
const SINGLE_DIGITS: PreTokenizer = {
  normalizer: null,
  preTokenizer: sequence(split('\\p{N}'), BYTE_LEVEL_WITH_SPLIT),
  ignoreMerges: false,
};
const LLAMA3: PreTokenizer = { normalizer: null, preTokenizer: sequence(split(LLAMA3_PATTERN), BYTE_LEVEL), ignoreMerges: true };
const QWEN2: PreTokenizer = { normalizer: { type: 'NFC' }, preTokenizer: sequence(split(QWEN2_PATTERN), BYTE_LEVEL), ignoreMerges: false };
const TEKKEN: PreTokenizer = { normalizer: null, preTokenizer: sequence(split(TEKKEN_PATTERN), BYTE_LEVEL), ignoreMerges: true };

const BY_NAME: ReadonlyMap<string, PreTokenizer> = new Map([
  ['default', GPT2],
  ['gpt-2', GPT2],
  ['phi-2', GPT2],
  ['olmo', GPT2],
  ['smollm', SINGLE_DIGITS],
  ['starcoder', SINGLE_DIGITS],
  ['refact', SINGLE_DIGITS],
  ['command-r', SINGLE_DIGITS],
  ['codeshell', SINGLE_DIGITS],
  ['llama3', LLAMA3],
  ['llama-v3', LLAMA3],
  ['llama-bpe', LLAMA3],
  ['falcon3', LLAMA3],
  ['smaug-bpe', { ...LLAMA3, ignoreMerges: false }],
  ['qwen2', QWEN2],
  ['deepseek-r1-qwen', QWEN2],
  ['megrez', QWEN2],
  ['tekken', TEKKEN],
]);

/** Null for a name that is not in the table. */
export function preTokenizerFor(name: string): PreTokenizer | null {
  return BY_NAME.get(name) ?? null;
}
