// Owns one worker thread that answers questions in the order in which they were asked. It is started by the first question.
import { Worker } from 'node:worker_threads';
import { fromWireError, type WireError } from '../../errors.ts';

export interface ThreadQuestion<Q> {
  readonly id: number;
  readonly question: Q;
}

export type ThreadAnswer =
  | { readonly id: number; readonly kind: 'value'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'error'; readonly error: WireError };

export class Thread<Q> {
  readonly #file: URL;
  readonly #workerData: unknown;
  #worker: Worker | null = null;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;

  constructor(file: URL, workerData: unknown) {
    this.#file = file;
    this.#workerData = workerData;
  }

  get isRunning(): boolean {
    return this.#worker !== null;
  }

  /** What the thread answers. @throws EngineError its refusal; Error when the thread died */
  ask(question: Q): Promise<unknown> {
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    try {
      const worker = this.#running();
      worker.postMessage({ id, question } satisfies ThreadQuestion<Q>);
      this.#open.set(id, answer);
      // An idle thread keeps no process alive, an open question does.
      worker.ref();
    } catch (error) {
      // What cannot be cloned is refused before it leaves.
      answer.reject(error);
    }
    return answer.promise;
  }

  /** Ends the thread; open questions fail. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
    this.#fail(new Error('The thread was ended.'));
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(this.#file, { workerData: this.#workerData });
    worker.on('message', (answer: ThreadAnswer) => this.#receive(answer));
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', (code) => this.#died(worker, new Error(`The thread ended with code ${code}.`)));
    this.#worker = worker;
    return worker;
  }

  #receive(answer: ThreadAnswer): void {
    const open = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if (this.#open.size === 0) this.#worker?.unref();
    if (answer.kind === 'value') open?.resolve(answer.value);
    else open?.reject(fromWireError(answer.error));
  }

  /** The next question starts a new one. */
  #died(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#fail(error);
  }

  #fail(error: Error): void {
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}
