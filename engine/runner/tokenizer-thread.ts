// Owns one worker thread that turns prompts into tokens: one prompt at a time. Knows nothing about queues or limits.
import { Worker } from 'node:worker_threads';
import { EngineError, fromWireError } from '../errors.ts';
import type { PromptInput } from './protocol.ts';
import type { TokenizerReply, TokenizerWorkerData } from './tokenizer-worker.ts';

export class TokenizerThread {
  readonly #worker: Worker;
  /** Resolves when it has loaded; rejects with `model_file_invalid` when it cannot. */
  readonly ready: Promise<void>;
  readonly #loaded = Promise.withResolvers<void>();
  #answer: PromiseWithResolvers<Int32Array> | null = null;
  #endedBy: EngineError | null = null;

  constructor(data: TokenizerWorkerData) {
    this.ready = this.#loaded.promise;
    // Whoever awaits it hears of a failure; until then it must not count as unhandled.
    this.ready.catch(() => undefined);
    this.#worker = new Worker(new URL('./tokenizer-worker.ts', import.meta.url), { workerData: data });
    this.#worker.unref();
    this.#worker.on('message', (reply: TokenizerReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.end(new EngineError('invalid_request', `The prompt could not be read: ${error.message}`)));
  }

  /** True once it takes no more prompts. */
  get isEnded(): boolean {
    return this.#endedBy !== null;
  }

  /** Not to be called again before the answer has come. @throws EngineError `template_failed`, `invalid_request`, or what `end` was given */
  ask(prompt: PromptInput): Promise<Int32Array> {
    if (this.#endedBy !== null) return Promise.reject(this.#endedBy);
    this.#answer = Promise.withResolvers<Int32Array>();
    this.#worker.postMessage(prompt);
    return this.#answer.promise;
  }

  /** Ends the thread, also in the middle of a prompt, which fails with `error`. */
  end(error: EngineError): void {
    this.#endedBy = error;
    this.#loaded.reject(error);
    this.#answer?.reject(error);
    void this.#worker.terminate();
  }

  #receive(reply: TokenizerReply): void {
    switch (reply.kind) {
      case 'ready':
        return this.#loaded.resolve();
      case 'loadFailed':
        return this.#loaded.reject(new EngineError('model_file_invalid', `The tokenizer cannot be loaded: ${reply.error.message}`));
      case 'tokens':
        return this.#answer?.resolve(reply.tokens);
      case 'refused':
        return this.#answer?.reject(fromWireError(reply.error));
    }
  }
}
