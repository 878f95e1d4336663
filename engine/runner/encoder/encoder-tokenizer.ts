// Owns the tokenizing of texts for an encoder, in worker threads: a few texts at a time, so that a long list does not hold up others,
// and very long texts in a thread of their own.
import { EngineError, bug } from '../../errors.ts';
import type { EncodeInput } from '../protocol.ts';
import { TokenizerPool, type TokenizerLimits } from '../tokenizer-pool.ts';
import type { EncoderText } from './encoder-session.ts';
import type { EncoderQuestion, EncoderTokens, EncoderWorkerData } from './encoder-tokenizer-worker.ts';

/** Long texts take far less unless they are made to take it; with the way of ten megabytes to here a refusal then takes less than a second. */
const LONG_LIMIT_MS = 750;
/** What one question to the worker holds at most: a longer list becomes several, between which others have their turn. */
const PORTION_TEXTS = 32;
const PORTION_CHARACTERS = 100_000;

type Lane = TokenizerPool<EncoderQuestion, EncoderTokens>;

export class EncoderTokenizer {
  readonly #data: EncoderWorkerData;
  readonly #worker: Lane;
  #longTexts: Lane | null = null;

  constructor(data: EncoderWorkerData) {
    this.#data = data;
    this.#worker = this.#start({});
  }

  /** Resolves when the worker has loaded; rejects with `model_file_invalid` when it cannot. */
  get ready(): Promise<void> {
    return this.#worker.ready;
  }

  /** The inputs as tokens, in order, portion by portion. @throws EngineError `context_length_exceeded` and `invalid_request` naming the input */
  async *tokenize(inputs: readonly EncodeInput[], truncate: boolean): AsyncGenerator<readonly EncoderText[]> {
    for (let first = 0; first < inputs.length;) {
      const portion = portionAt(inputs, first);
      yield unpack(await this.#laneFor(portion).ask({ first, inputs: portion, truncate }));
      first += portion.length;
    }
  }

  dispose(): void {
    this.#worker.dispose();
    this.#longTexts?.dispose();
  }

  /** The thread for long texts starts with the first of them. */
  #laneFor(portion: readonly EncodeInput[]): Lane {
    return portion.some((input) => sizeOf(input) > PORTION_CHARACTERS)
      ? (this.#longTexts ??= this.#start({ limitMs: LONG_LIMIT_MS }))
      : this.#worker;
  }

  #start(limits: Partial<TokenizerLimits>): Lane {
    const source = { file: new URL('./encoder-tokenizer-worker.ts', import.meta.url), workerData: this.#data };
    return new TokenizerPool({ source, limits, tooSlow });
  }
}

function portionAt(inputs: readonly EncodeInput[], first: number): readonly EncodeInput[] {
  let [end, characters] = [first + 1, sizeOf(inputs[first])];
  while (end < inputs.length && end - first < PORTION_TEXTS && characters + sizeOf(inputs[end]) <= PORTION_CHARACTERS) {
    characters += sizeOf(inputs[end++]);
  }
  return inputs.slice(first, end);
}

function sizeOf(input: EncodeInput | undefined): number {
  if (input === undefined) return 0;
  return input.kind === 'tokens' ? input.tokens.length : input.text.length + (input.kind === 'pair' ? input.other.length : 0);
}

function unpack({ tokens, ends, secondStarts }: EncoderTokens): readonly EncoderText[] {
  return Array.from(ends, (end, at) => {
    const start = at === 0 ? 0 : (ends[at - 1] ?? bug('A text begins nowhere.'));
    return { tokens: tokens.subarray(start, end), secondStart: secondStarts[at] ?? end - start };
  });
}

function tooSlow({ first, inputs }: EncoderQuestion, limitMs: number): EngineError {
  const which = inputs.length === 1 ? `The text at index ${first}` : `The texts at index ${first} to ${first + inputs.length - 1}`;
  return new EngineError('invalid_request', `${which} took more than ${limitMs / 1000} s to tokenize.`, { param: `input[${first}]` });
}
