// Owns the texts that variants are measured on: one written for this purpose, of which calibration knows nothing, and the user's own.
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import type { EvaluationTextName } from '../../contract.ts';
import { EngineError } from '../../errors.ts';

export interface EvaluationText {
  readonly name: EvaluationTextName;
  readonly text: string;
}

/** Tokens of one text that are looked at. */
const MOST_TOKENS = 4096;
/** Characters of one text that are tokenized, many for each token. */
const MOST_CHARACTERS = MOST_TOKENS * 16;
/** Texts of an encoder. */
const MOST_PARTS = 300;
/** Shorter parts say too little. */
const LEAST_CHARACTERS = 20;

/** `own`: null when there is none. Throws `invalid_request` for one that says nothing. */
export function evaluationTexts(own: string | null): readonly EvaluationText[] {
  const bundled = readFileSync(new URL('./evaluation.txt', import.meta.url), 'utf8');
  const all: EvaluationText[] = [{ name: 'bundled', text: bundled }];
  if (own !== null) all.push({ name: 'own', text: checkedText(own) });
  return all;
}

/** A text of the user's own, as it may be measured on. Throws `invalid_request`. */
export function checkedText(text: string): string {
  if (text.trim().length >= LEAST_CHARACTERS) return text;
  throw new EngineError('invalid_request', `A text to measure on must have at least ${LEAST_CHARACTERS} characters.`, { param: 'text' });
}

/** A text as a decoder reads it. */
export function decoderTokens(tokenizerJson: object, text: string): Int32Array {
  const { ids } = new Tokenizer(tokenizerJson, {}).encode(text.slice(0, MOST_CHARACTERS), { add_special_tokens: false });
  return Int32Array.from(ids).subarray(0, MOST_TOKENS);
}

/** The paragraphs of a text as an encoder reads them, each with its special tokens. */
export function encoderTexts(tokenizerJson: object, text: string, contextLength: number): readonly (readonly number[])[] {
  const tokenizer = new Tokenizer(tokenizerJson, {});
  const parts = text.split(/\n\s*\n/).filter((part) => part.trim().length >= LEAST_CHARACTERS);
  return parts.slice(0, MOST_PARTS).map((part) => tokenizer.encode(part.trim()).ids.slice(0, contextLength));
}
