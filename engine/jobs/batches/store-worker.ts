// The thread that owns batches.db. The file is opened by the first question, and again after a failure to open it.
import { parentPort, workerData } from 'node:worker_threads';
import { bug, EngineError, toWireError } from '../../errors.ts';
import { openDatabase } from '../../ledger/store/database.ts';
import { faultOf } from '../../ledger/store/fault.ts';
import type { ThreadAnswer, ThreadQuestion } from '../../ledger/store/thread.ts';
import { BATCH_MIGRATIONS } from './batch-schema.ts';
import { BatchStore } from './batch-store.ts';
import type { StoreQuestion } from './store-thread.ts';

const port = parentPort ?? bug('The store of batches runs outside a worker thread.');
const { path } = workerData as { readonly path: string };
let store: BatchStore | null = null;

port.on('message', ({ id, question }: ThreadQuestion<StoreQuestion>) => port.postMessage(answer(id, question)));

function answer(id: number, { method, args }: StoreQuestion): ThreadAnswer {
  try {
    store ??= new BatchStore(openDatabase({ path, migrations: BATCH_MIGRATIONS, synchronous: 'full', nowMs: Date.now() }).db);
    const work = store[method] as (...args: readonly unknown[]) => unknown;
    return { id, kind: 'value', value: work.apply(store, args) };
  } catch (error) {
    return { id, kind: 'error', error: toWireError(refusal(error)) };
  }
}

function refusal(cause: unknown): EngineError {
  const { kind, detail } = faultOf(cause, path);
  if (kind === 'disk_full')
    return new EngineError('insufficient_storage', `The disk is full or cannot be written: free some space. ${detail}`, { cause });
  return new EngineError('batches_unavailable', `The file of batches cannot be read or written now. ${detail}`, { cause });
}
