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

const SEQUENCE_TOKENS = 512;

/** The same tokens in pieces, each read from an empty cache. */
export function calibrationSequences(source: Pick<SourceModel, 'tokenizer' | 'config'>): readonly Int32Array[] {
  const tokens = calibrationTokens(source);
  const count = Math.ceil(tokens.length / SEQUENCE_TOKENS);
  return Array.from({ length: count }, (_, at) => tokens.subarray(at * SEQUENCE_TOKENS, (at + 1) * SEQUENCE_TOKENS));
}
