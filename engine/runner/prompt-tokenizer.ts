// Owns the queue of prompts before they are tokens, and the worker thread that turns them into tokens.
// A prompt that takes longer than the limit costs its request a refusal and the worker its life; the others wait no longer than that.
import { Worker } from 'node:worker_threads';
import { EngineError, fromWireError } from '../errors.ts';
import type { PromptInput } from './protocol.ts';
import type { TokenizerReply, TokenizerWorkerData } from './tokenizer-worker.ts';

/** A template or a text that takes longer is refused. */
export const TOKENIZE_LIMIT_MS = 10_000;

interface Job {
  readonly prompt: PromptInput;
  readonly resolve: (tokens: Int32Array) => void;
  readonly reject: (error: Error) => void;
}

export class PromptTokenizer {
  readonly #data: TokenizerWorkerData;
  readonly #limitMs: number;
  readonly #waiting: Job[] = [];
  #current: { readonly job: Job; readonly timer: NodeJS.Timeout } | null = null;
  #worker: Worker;
  #isReady = false;
  #isDisposed = false;
  /** Resolves when the first worker has loaded; rejects with `model_file_invalid` when it cannot. */
  readonly ready: Promise<void>;
  readonly #settleReady: { resolve: () => void; reject: (error: Error) => void };

  constructor(data: TokenizerWorkerData, limitMs = TOKENIZE_LIMIT_MS) {
    this.#data = data;
    this.#limitMs = limitMs;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#settleReady = { resolve, reject };
    this.#worker = this.#start();
  }

  /** Prompts waiting or under way. */
  get pending(): number {
    return this.#waiting.length + (this.#current === null ? 0 : 1);
  }

  /** @throws EngineError `template_failed`, `invalid_request` when the limit is passed */
  tokenize(prompt: PromptInput): Promise<Int32Array> {
    if (prompt.kind === 'tokens') return Promise.resolve(Int32Array.from(prompt.tokens));
    const { promise, resolve, reject } = Promise.withResolvers<Int32Array>();
    this.#waiting.push({ prompt, resolve, reject });
    this.#advance();
    return promise;
  }

  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./tokenizer-worker.ts', import.meta.url), { workerData: this.#data });
    worker.unref();
    worker.on('message', (reply: TokenizerReply) => this.#receive(worker, reply));
    worker.on('error', (error) =>
      this.#replace(worker, new EngineError('invalid_request', `The prompt could not be read: ${error.message}`)),
    );
    return worker;
  }

  #advance(): void {
    if (!this.#isReady || this.#current !== null || this.#isDisposed) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const timer = setTimeout(() => this.#replace(this.#worker, tooSlow(job, this.#limitMs)), this.#limitMs);
    this.#current = { job, timer };
    this.#worker.postMessage(job.prompt);
  }

  #receive(worker: Worker, reply: TokenizerReply): void {
    if (worker !== this.#worker) return;
    if (reply.kind === 'ready') {
      this.#isReady = true;
      this.#settleReady.resolve();
    } else if (reply.kind === 'loadFailed') {
      this.#giveUp(new EngineError('model_file_invalid', `The tokenizer cannot be loaded: ${reply.error.message}`));
    } else {
      this.#finish((job) => (reply.kind === 'tokens' ? job.resolve(reply.tokens) : job.reject(fromWireError(reply.error))));
    }
    this.#advance();
  }

  #finish(settle: (job: Job) => void): void {
    if (this.#current === null) return;
    clearTimeout(this.#current.timer);
    const { job } = this.#current;
    this.#current = null;
    settle(job);
  }

  /** A new worker takes the place of one that hangs or has died. */
  #replace(worker: Worker, error: EngineError): void {
    if (worker !== this.#worker || this.#isDisposed) return;
    if (!this.#isReady) return this.#giveUp(error);
    this.#isReady = false;
    void worker.terminate();
    this.#finish((job) => job.reject(error));
    this.#worker = this.#start();
  }

  /** A tokenizer that cannot be loaded will not load the next time either. */
  #giveUp(error: EngineError): void {
    this.#settleReady.reject(error);
    for (const job of this.#waiting.splice(0)) job.reject(error);
  }
}

function tooSlow(job: Job, limitMs: number): EngineError {
  const limit = `more than ${limitMs / 1000} s`;
  return job.prompt.kind === 'chat'
    ? new EngineError('template_failed', `Rendering and tokenizing the messages took ${limit}.`, { param: 'messages' })
    : new EngineError('invalid_request', `Tokenizing the prompt took ${limit}.`, { param: 'prompt' });
}
