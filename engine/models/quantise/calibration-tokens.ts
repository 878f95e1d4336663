// Owns the calibration text, written for this purpose (chat, prose, code, contract, science, news), as a model's tokens.
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import type { SourceModel } from '../readers/source-model.ts';

/** About 2,000 tokens, fewer where the model's context is shorter. */
export function calibrationTokens({ tokenizer, config }: Pick<SourceModel, 'tokenizer' | 'config'>): Int32Array {
  const text = readFileSync(new URL('./calibration.txt', import.meta.url), 'utf8');
  const { ids } = new Tokenizer(tokenizer.tokenizerJson, {}).encode(text, { add_special_tokens: false });
  const first = tokenizer.addBos && tokenizer.bosToken !== null ? [tokenizer.bosToken] : [];
  return Int32Array.from([...first, ...ids]).subarray(0, config.contextLength);
}
