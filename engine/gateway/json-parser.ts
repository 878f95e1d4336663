// Owns the parsing of request bodies: small ones at once, large ones in a worker thread that starts with the first of them.
// Knows nothing about HTTP.
import { Worker } from 'node:worker_threads';
import { EngineError, fromWireError } from '../errors.ts';
import { parseJson } from './json-text.ts';
import type { ParseAnswer, ParseJob } from './json-worker.ts';
import type { Limits } from './limits.ts';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: EngineError) => void;
}

export class JsonParser {
  readonly #limits: Limits;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #nextId = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The value of a JSON body; `bytes` must not be used afterwards. @throws EngineError `invalid_request` */
  parse(bytes: Uint8Array): unknown {
    return bytes.byteLength <= this.#limits.inlineParseBytes ? parseJson(bytes, this.#limits) : this.#parseInWorker(bytes);
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #parseInWorker(bytes: Uint8Array): Promise<unknown> {
    const worker = (this.#worker ??= this.#start());
    const job: ParseJob = { id: this.#nextId++, bytes };
    return new Promise((resolve, reject) => {
      this.#pending.set(job.id, { resolve, reject });
      worker.postMessage(job);
    });
  }

  #start(): Worker {
    const { jsonDepth, jsonValues } = this.#limits;
    const worker = new Worker(new URL('./json-worker.ts', import.meta.url), { workerData: { jsonDepth, jsonValues } });
    worker.unref();
    worker.on('message', (answer: ParseAnswer) => this.#settle(answer));
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', () => this.#fail(worker, new Error('The JSON worker ended.')));
    return worker;
  }

  #settle(answer: ParseAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.kind === 'value') pending?.resolve(answer.value);
    else pending?.reject(fromWireError(answer.error));
  }

  /** A body that ends its thread (out of memory) fails with the others of that thread; the next one starts a new thread. */
  #fail(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#pending.values()) reject(new EngineError('internal', 'The body could not be parsed.', { cause }));
    this.#pending.clear();
  }
}
