// Owns the queue of prompts before they are tokens. A prompt that takes long gets a thread for itself, so that the others do not wait
// for it; past the limit its request is refused and the thread ended.
import { EngineError } from '../errors.ts';
import type { PromptInput } from './protocol.ts';
import { TokenizerThread } from './tokenizer-thread.ts';
import type { TokenizerWorkerData } from './tokenizer-worker.ts';

export interface TokenizerLimits {
  /** A template or a text that takes longer is refused. */
  readonly limitMs: number;
  /** A prompt that takes longer no longer holds up the others. */
  readonly patienceMs: number;
}

const LIMITS: TokenizerLimits = { limitMs: 10_000, patienceMs: 500 };
/** Threads busy with slow prompts, beside the one for all others; each holds the vocabulary anew. */
const MAX_SLOW_THREADS = 2;

interface Job extends PromiseWithResolvers<Int32Array> {
  readonly prompt: PromptInput;
}

export class PromptTokenizer {
  readonly #data: TokenizerWorkerData;
  readonly #limits: TokenizerLimits;
  readonly #waiting: Job[] = [];
  readonly #slow = new Set<TokenizerThread>();
  #thread: TokenizerThread;
  #isBusy = false;
  #isDisposed = false;
  /** Resolves when the first thread has loaded; rejects with `model_file_invalid` when it cannot. */
  readonly ready: Promise<void>;

  constructor(data: TokenizerWorkerData, limits: Partial<TokenizerLimits> = {}) {
    this.#data = data;
    this.#limits = { ...LIMITS, ...limits };
    this.#thread = new TokenizerThread(data);
    this.ready = this.#thread.ready;
  }

  /** @throws EngineError `template_failed`, `invalid_request`, also when the limit is passed */
  tokenize(prompt: PromptInput): Promise<Int32Array> {
    if (prompt.kind === 'tokens') return Promise.resolve(Int32Array.from(prompt.tokens));
    const job = { prompt, ...Promise.withResolvers<Int32Array>() };
    this.#waiting.push(job);
    this.#advance();
    return job.promise;
  }

  dispose(): void {
    this.#isDisposed = true;
    const error = new EngineError('draining', 'The model is being unloaded.');
    for (const job of this.#waiting.splice(0)) job.reject(error);
    for (const thread of [this.#thread, ...this.#slow]) thread.end(error);
  }

  #advance(): void {
    if (this.#isBusy || this.#isDisposed) return;
    const job = this.#waiting.shift();
    if (job !== undefined) void this.#serve(this.#thread, job);
  }

  async #serve(thread: TokenizerThread, job: Job): Promise<void> {
    this.#isBusy = true;
    let timers: readonly NodeJS.Timeout[] = [];
    try {
      await thread.ready;
      timers = [
        setTimeout(() => this.#setAside(thread), this.#limits.patienceMs),
        setTimeout(() => thread.end(tooSlow(job, this.#limits.limitMs)), this.#limits.limitMs),
      ];
      job.resolve(await thread.ask(job.prompt));
    } catch (error) {
      job.reject(error);
    } finally {
      timers.forEach((timer) => clearTimeout(timer));
      this.#leave(thread);
    }
  }

  /** The others go on with a new thread. */
  #setAside(thread: TokenizerThread): void {
    if (this.#slow.size >= MAX_SLOW_THREADS || this.#isDisposed) return;
    this.#slow.add(thread);
    this.#renew();
  }

  #leave(thread: TokenizerThread): void {
    if (this.#slow.delete(thread)) return thread.end(new EngineError('internal', 'A slow prompt has its tokens.'));
    if (thread.isEnded && !this.#isDisposed) return this.#renew();
    this.#isBusy = false;
    this.#advance();
  }

  #renew(): void {
    this.#thread = new TokenizerThread(this.#data);
    this.#isBusy = false;
    this.#advance();
  }
}

function tooSlow({ prompt }: Job, limitMs: number): EngineError {
  const limit = `more than ${limitMs / 1000} s`;
  return prompt.kind === 'chat'
    ? new EngineError('template_failed', `Rendering and tokenizing the messages took ${limit}.`, { param: 'messages' })
    : new EngineError('invalid_request', `Tokenizing the prompt took ${limit}.`, { param: 'prompt' });
}
