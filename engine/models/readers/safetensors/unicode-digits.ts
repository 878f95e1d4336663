// Owns one repair of a tokenizer.json: `Digits` means every Unicode number, and @huggingface/tokenizers takes only ASCII ones.
// The same split written as a pattern gives the tokens that the original library gives.
import { isJsonObject } from '../json-fields.ts';
import type { TokenizerJson } from '../source-model.ts';

export function withUnicodeDigits(tokenizer: TokenizerJson): TokenizerJson {
  return { ...tokenizer, pre_tokenizer: replaceDigits(tokenizer.pre_tokenizer) };
}

function replaceDigits(step: unknown): unknown {
  if (!isJsonObject(step)) return step;
  if (Array.isArray(step['pretokenizers'])) return { ...step, pretokenizers: step['pretokenizers'].map(replaceDigits) };
  if (step['type'] !== 'Digits') return step;
  const pattern = step['individual_digits'] === true ? '\\p{N}' : '\\p{N}+';
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}
