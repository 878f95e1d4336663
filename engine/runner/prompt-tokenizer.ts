// Owns the tokenizing of prompts: chat templates and texts, each within its limits.
import { EngineError } from '../errors.ts';
import type { PromptInput } from './protocol.ts';
import { TokenizerPool, type TokenizerLimits } from './tokenizer-pool.ts';
import type { TokenizerWorkerData } from './tokenizer-worker.ts';

export class PromptTokenizer {
  readonly #pool: TokenizerPool<PromptInput, Int32Array>;

  constructor(workerData: TokenizerWorkerData, limits: Partial<TokenizerLimits> = {}) {
    const source = { file: new URL('./tokenizer-worker.ts', import.meta.url), workerData };
    this.#pool = new TokenizerPool({ source, limits, tooSlow });
  }

  /** Resolves when the first thread has loaded; rejects with `model_file_invalid` when it cannot. */
  get ready(): Promise<void> {
    return this.#pool.ready;
  }

  /** @throws EngineError `template_failed`, `invalid_request`, also when the limit is passed */
  tokenize(prompt: PromptInput): Promise<Int32Array> {
    return prompt.kind === 'tokens' ? Promise.resolve(Int32Array.from(prompt.tokens)) : this.#pool.ask(prompt);
  }

  dispose(): void {
    this.#pool.dispose();
  }
}

function tooSlow(prompt: PromptInput, limitMs: number): EngineError {
  const limit = `more than ${limitMs / 1000} s`;
  return prompt.kind === 'chat'
    ? new EngineError('template_failed', `Rendering and tokenizing the messages took ${limit}.`, { param: 'messages' })
    : new EngineError('invalid_request', `Tokenizing the prompt took ${limit}.`, { param: 'prompt' });
}
