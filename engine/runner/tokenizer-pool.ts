// Owns the queue of questions to tokenizer threads. A question that takes long gets a thread for itself, so that the others do not wait
// for it; past the limit it is refused and the thread ended.
import { EngineError } from '../errors.ts';
import { TokenizerThread, type ThreadSource } from './tokenizer-thread.ts';

export interface TokenizerLimits {
  /** What takes longer is refused. */
  readonly limitMs: number;
  /** What takes longer no longer holds up the others. */
  readonly patienceMs: number;
}

export interface TokenizerPoolOptions<Q> {
  readonly source: ThreadSource;
  readonly limits?: Partial<TokenizerLimits>;
  /** The refusal of a question that passed the limit. */
  readonly tooSlow: (question: Q, limitMs: number) => EngineError;
}

const LIMITS: TokenizerLimits = { limitMs: 10_000, patienceMs: 500 };
/** Threads busy with slow questions, beside the one for all others; each holds the vocabulary anew. */
const MAX_SLOW_THREADS = 2;

interface Job<Q, A> extends PromiseWithResolvers<A> {
  readonly question: Q;
}

export class TokenizerPool<Q, A> {
  readonly #options: TokenizerPoolOptions<Q>;
  readonly #limits: TokenizerLimits;
  readonly #waiting: Job<Q, A>[] = [];
  readonly #slow = new Set<TokenizerThread<Q, A>>();
  #thread: TokenizerThread<Q, A>;
  #isBusy = false;
  #isDisposed = false;
  /** Resolves when the first thread has loaded; rejects with `model_file_invalid` when it cannot. */
  readonly ready: Promise<void>;

  constructor(options: TokenizerPoolOptions<Q>) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#thread = new TokenizerThread(options.source);
    this.ready = this.#thread.ready;
  }

  /** @throws EngineError the thread's refusal, or `tooSlow`'s when the limit is passed */
  ask(question: Q): Promise<A> {
    const job = { question, ...Promise.withResolvers<A>() };
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

  async #serve(thread: TokenizerThread<Q, A>, { question, resolve, reject }: Job<Q, A>): Promise<void> {
    this.#isBusy = true;
    let timers: readonly NodeJS.Timeout[] = [];
    const { patienceMs, limitMs } = this.#limits;
    try {
      await thread.ready;
      timers = [
        setTimeout(() => this.#setAside(thread), patienceMs),
        setTimeout(() => thread.end(this.#options.tooSlow(question, limitMs)), limitMs),
      ];
      resolve(await thread.ask(question));
    } catch (error) {
      reject(error);
    } finally {
      timers.forEach((timer) => clearTimeout(timer));
      this.#leave(thread);
    }
  }

  /** The others go on with a new thread. */
  #setAside(thread: TokenizerThread<Q, A>): void {
    if (this.#slow.size >= MAX_SLOW_THREADS || this.#isDisposed) return;
    this.#slow.add(thread);
    this.#renew();
  }

  #leave(thread: TokenizerThread<Q, A>): void {
    if (this.#slow.delete(thread)) return thread.end(new EngineError('internal', 'A slow prompt has its tokens.'));
    if (thread.isEnded && !this.#isDisposed) return this.#renew();
    this.#isBusy = false;
    this.#advance();
  }

  #renew(): void {
    this.#thread = new TokenizerThread(this.#options.source);
    this.#isBusy = false;
    this.#advance();
  }
}
