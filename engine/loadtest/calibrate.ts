// Asks each model two short questions before a test: it is loaded then, and how it counts words as tokens is known.
import { EngineError } from '../errors.ts';
import { exchange, type Door, type Exchange } from './exchange.ts';
import { plainWords, scaleOf, type TokenScale } from './prompt-text.ts';

const SHORT_WORDS = 8;
const LONG_WORDS = 72;
/** For the first answer, which may load the model. */
const LIMIT_MS = 600_000;

export interface CalibrateOptions {
  readonly door: Door;
  /** Of the ids of its requests. */
  readonly prefix: string;
  readonly signal: AbortSignal;
}

/** Null for a model that the server does not have. @throws EngineError `invalid_request` when it does not answer otherwise */
export async function calibrate(model: string, { door, prefix, signal }: CalibrateOptions): Promise<TokenScale | null> {
  const counted: { words: number; tokens: number }[] = [];
  for (const words of [SHORT_WORDS, LONG_WORDS]) {
    const wish = { id: `${prefix}-warm-${words}`, model, text: plainWords(words, words), answerTokens: 1 };
    const answer = await exchange(door, wish, AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]));
    signal.throwIfAborted();
    if (answer.status === 404) return null;
    counted.push({ words, tokens: tokensOf(answer, door, model) });
  }
  const [short, long] = counted;
  return short === undefined || long === undefined ? null : scaleOf(short, long);
}

/** A first token that ends a word's bytes may have no text of its own: an answer without text has been counted all the same. */
function tokensOf({ failure, promptTokens, status }: Exchange, { url }: Door, model: string): number {
  if (promptTokens > 0) return promptTokens;
  const why = failure ?? 'It does not tell how many tokens a prompt has (stream_options.include_usage).';
  throw new EngineError('invalid_request', `${url} did not answer a question to ${model} before the test (${status}): ${why}`, {
    param: 'url',
  });
}
