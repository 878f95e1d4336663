// Owns the engine's side of stored responses: questions to the thread that keeps them. Knows nothing about SQLite.
import { EngineError } from '../../../errors.ts';
import { Thread } from '../../../ledger/store/thread.ts';
import type { ResponseQuestion, ResponseWorkerData } from './messages.ts';
import type { Found, StoredResponse } from './response-file.ts';

const DAY_MS = 86_400_000;
/** Responses are kept for so long, as OpenAI does. */
const KEEP_MS = 30 * DAY_MS;
const MAX_BYTES = 2 ** 30;

export interface ResponseStoreOptions {
  /** Of the SQLite file; null: in memory, gone with the process. */
  readonly path: string | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class ResponseStore {
  readonly #thread: Thread<ResponseQuestion>;
  readonly #now: () => number;

  constructor({ path, now }: ResponseStoreOptions) {
    const data: ResponseWorkerData = { path: path ?? ':memory:', keeping: { keepMs: KEEP_MS, maxBytes: MAX_BYTES } };
    this.#thread = new Thread(new URL('response-worker.ts', import.meta.url), data);
    this.#now = now;
  }

  /** What is asked afterwards sees it. @throws EngineError `responses_unavailable` */
  async save(stored: StoredResponse): Promise<void> {
    await this.#ask({ kind: 'save', stored, nowMs: this.#now() });
  }

  /** @throws EngineError `response_not_found`, also for another tenant's; `responses_unavailable` */
  async find(tenant: string, id: string): Promise<Found> {
    const found = (await this.#ask({ kind: 'find', tenant, id, nowMs: this.#now() })) as Found | null;
    return found ?? notFound(id, 'response_id');
  }

  /** The items of the conversation that ends with this response. @throws EngineError as `find` */
  async history(tenant: string, id: string, most: number): Promise<readonly unknown[]> {
    const items = (await this.#ask({ kind: 'history', tenant, id, most, nowMs: this.#now() })) as readonly unknown[] | null;
    return items ?? notFound(id, 'previous_response_id');
  }

  /** @throws EngineError as `find` */
  async remove(tenant: string, id: string): Promise<void> {
    if ((await this.#ask({ kind: 'remove', tenant, id, nowMs: this.#now() })) !== true) notFound(id, 'response_id');
  }

  async close(): Promise<void> {
    if (this.#thread.isRunning) await this.#thread.ask({ kind: 'close' });
    await this.#thread.end();
  }

  async #ask(question: ResponseQuestion): Promise<unknown> {
    try {
      return await this.#thread.ask(question);
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw new EngineError('responses_unavailable', 'The thread that keeps responses has ended.', { cause });
    }
  }
}

function notFound(id: string, param: string): never {
  throw new EngineError('response_not_found', `No response ${JSON.stringify(id)} is stored.`, { param });
}
