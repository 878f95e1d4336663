// Owns one worker thread that answers one question at a time, such as a prompt's tokens. Knows nothing about queues or limits.
import { Worker } from 'node:worker_threads';
import { EngineError, fromWireError, type WireError } from '../errors.ts';

/** What the thread posts: `ready` or `loadFailed` first, then one answer or refusal for each question. */
export type ThreadReply<A> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'loadFailed'; readonly error: WireError }
  | { readonly kind: 'answer'; readonly answer: A }
  | { readonly kind: 'refused'; readonly error: WireError };

/** The source of the thread, and what it is given at its start. */
export interface ThreadSource {
  readonly file: URL;
  readonly workerData: unknown;
}

export class TokenizerThread<Q, A> {
  readonly #worker: Worker;
  /** Resolves when it has loaded; rejects with `model_file_invalid` when it cannot. */
  readonly ready: Promise<void>;
  readonly #loaded = Promise.withResolvers<void>();
  #answer: PromiseWithResolvers<A> | null = null;
  #endedBy: EngineError | null = null;

  constructor({ file, workerData }: ThreadSource) {
    this.ready = this.#loaded.promise;
    // Whoever awaits it hears of a failure; until then it must not count as unhandled.
    this.ready.catch(() => undefined);
    this.#worker = new Worker(file, { workerData });
    this.#worker.unref();
    this.#worker.on('message', (reply: ThreadReply<A>) => this.#receive(reply));
    this.#worker.on('error', (error) => this.end(new EngineError('invalid_request', `The prompt could not be read: ${error.message}`)));
  }

  /** True once it takes no more questions. */
  get isEnded(): boolean {
    return this.#endedBy !== null;
  }

  /** Not to be called again before the answer has come. @throws EngineError the thread's refusal, or what `end` was given */
  ask(question: Q): Promise<A> {
    if (this.#endedBy !== null) return Promise.reject(this.#endedBy);
    this.#answer = Promise.withResolvers<A>();
    this.#worker.postMessage(question);
    return this.#answer.promise;
  }

  /** Ends the thread, also in the middle of a question, which fails with `error`. */
  end(error: EngineError): void {
    this.#endedBy = error;
    this.#loaded.reject(error);
    this.#answer?.reject(error);
    void this.#worker.terminate();
  }

  #receive(reply: ThreadReply<A>): void {
    switch (reply.kind) {
      case 'ready':
        return this.#loaded.resolve();
      case 'loadFailed':
        return this.#loaded.reject(new EngineError('model_file_invalid', `The tokenizer cannot be loaded: ${reply.error.message}`));
      case 'answer':
        return this.#answer?.resolve(reply.answer);
      case 'refused':
        return this.#answer?.reject(fromWireError(reply.error));
    }
  }
}
