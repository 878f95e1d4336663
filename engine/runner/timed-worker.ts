// Owns a worker thread that answers one question at a time, and the queue before it. A question that takes longer than the limit
// costs its asker a refusal and the thread its life; the others wait no longer than that.
import { Worker } from 'node:worker_threads';
import { EngineError, fromWireError, type WireError } from '../errors.ts';

/** What the thread posts: `ready` or `loadFailed` first, then one answer or refusal for each question. */
export type WorkerReply<A> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'loadFailed'; readonly error: WireError }
  | { readonly kind: 'answer'; readonly answer: A }
  | { readonly kind: 'refused'; readonly error: WireError };

interface Job<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: Error) => void;
}

export interface TimedWorkerOptions<Q> {
  readonly file: URL;
  readonly workerData: unknown;
  readonly limitMs: number;
  /** The refusal of a question that took too long. */
  readonly tooSlow: (question: Q) => EngineError;
}

export class TimedWorker<Q, A> {
  readonly #options: TimedWorkerOptions<Q>;
  readonly #waiting: Job<Q, A>[] = [];
  #current: { readonly job: Job<Q, A>; readonly timer: NodeJS.Timeout } | null = null;
  #worker: Worker;
  #isReady = false;
  #isDisposed = false;
  /** Resolves when the first thread has loaded; rejects with `model_file_invalid` when it cannot. */
  readonly ready: Promise<void>;
  readonly #settleReady: { resolve: () => void; reject: (error: Error) => void };

  constructor(options: TimedWorkerOptions<Q>) {
    this.#options = options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#settleReady = { resolve, reject };
    this.#worker = this.#start();
  }

  /** Questions waiting or under way. */
  get pending(): number {
    return this.#waiting.length + (this.#current === null ? 0 : 1);
  }

  /** @throws EngineError what the thread refuses with, or the refusal of a slow question */
  ask(question: Q): Promise<A> {
    const { promise, resolve, reject } = Promise.withResolvers<A>();
    this.#waiting.push({ question, resolve, reject });
    this.#advance();
    return promise;
  }

  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#options.file, { workerData: this.#options.workerData });
    worker.unref();
    worker.on('message', (reply: WorkerReply<A>) => this.#receive(worker, reply));
    worker.on('error', (error) =>
      this.#replace(worker, new EngineError('invalid_request', `The text could not be read: ${error.message}`)),
    );
    return worker;
  }

  #advance(): void {
    if (!this.#isReady || this.#current !== null || this.#isDisposed) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    const timer = setTimeout(() => this.#replace(this.#worker, this.#options.tooSlow(job.question)), this.#options.limitMs);
    this.#current = { job, timer };
    this.#worker.postMessage(job.question);
  }

  #receive(worker: Worker, reply: WorkerReply<A>): void {
    if (worker !== this.#worker) return;
    if (reply.kind === 'ready') {
      this.#isReady = true;
      this.#settleReady.resolve();
    } else if (reply.kind === 'loadFailed') {
      this.#giveUp(new EngineError('model_file_invalid', `The tokenizer cannot be loaded: ${reply.error.message}`));
    } else {
      this.#finish((job) => (reply.kind === 'answer' ? job.resolve(reply.answer) : job.reject(fromWireError(reply.error))));
    }
    this.#advance();
  }

  #finish(settle: (job: Job<Q, A>) => void): void {
    if (this.#current === null) return;
    clearTimeout(this.#current.timer);
    const { job } = this.#current;
    this.#current = null;
    settle(job);
  }

  /** A new thread takes the place of one that hangs or has died. */
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
