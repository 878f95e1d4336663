// Owns the way to the store of batches, which works in a thread of its own: each of its methods, as a question.
import { Thread } from '../../ledger/store/thread.ts';
import type { BatchStore } from './batch-store.ts';

/** What a thread can be asked: methods, not the private rest. */
type StoreMethod = keyof BatchStore;
export type StoreQuestion = { readonly [M in StoreMethod]: { readonly method: M; readonly args: Parameters<BatchStore[M]> } }[StoreMethod];

export class StoreThread {
  readonly #thread: Thread<StoreQuestion>;

  constructor(path: string) {
    this.#thread = new Thread(new URL('store-worker.ts', import.meta.url), { path });
  }

  /** Questions are answered in their order. @throws EngineError `insufficient_storage`, `batches_unavailable` */
  async ask<M extends StoreMethod>(method: M, ...args: Parameters<BatchStore[M]>): Promise<ReturnType<BatchStore[M]>> {
    return (await this.#thread.ask({ method, args } as unknown as StoreQuestion)) as ReturnType<BatchStore[M]>;
  }

  /** What was asked before is done first. */
  async close(): Promise<void> {
    if (this.#thread.isRunning) await this.ask('openBatches').catch(() => undefined);
    await this.#thread.end();
  }
}
