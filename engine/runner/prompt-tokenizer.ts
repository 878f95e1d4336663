// Owns the tokenizing of prompts in a worker thread: chat templates and texts, each within the time limit.
import { EngineError } from '../errors.ts';
import type { PromptInput } from './protocol.ts';
import { TimedWorker } from './timed-worker.ts';
import type { TokenizerWorkerData } from './tokenizer-worker.ts';

/** A template or a text that takes longer is refused. */
export const TOKENIZE_LIMIT_MS = 10_000;

export class PromptTokenizer {
  readonly #worker: TimedWorker<PromptInput, Int32Array>;

  constructor(workerData: TokenizerWorkerData, limitMs = TOKENIZE_LIMIT_MS) {
    const file = new URL('./tokenizer-worker.ts', import.meta.url);
    this.#worker = new TimedWorker({ file, workerData, limitMs, tooSlow: (prompt) => tooSlow(prompt, limitMs) });
  }

  /** Resolves when the first worker has loaded; rejects with `model_file_invalid` when it cannot. */
  get ready(): Promise<void> {
    return this.#worker.ready;
  }

  /** Prompts waiting or under way. */
  get pending(): number {
    return this.#worker.pending;
  }

  /** @throws EngineError `template_failed`, `invalid_request` when the limit is passed */
  tokenize(prompt: PromptInput): Promise<Int32Array> {
    return prompt.kind === 'tokens' ? Promise.resolve(Int32Array.from(prompt.tokens)) : this.#worker.ask(prompt);
  }

  dispose(): Promise<void> {
    return this.#worker.dispose();
  }
}

function tooSlow(prompt: PromptInput, limitMs: number): EngineError {
  const limit = `more than ${limitMs / 1000} s`;
  return prompt.kind === 'chat'
    ? new EngineError('template_failed', `Rendering and tokenizing the messages took ${limit}.`, { param: 'messages' })
    : new EngineError('invalid_request', `Tokenizing the prompt took ${limit}.`, { param: 'prompt' });
}
