// A load test in a thread of its own, so that the server that shares the process does not make it late. Talks in messages alone.
import { parentPort, workerData } from 'node:worker_threads';
import { toWireError } from '../errors.ts';
import { runLoadTest } from './run.ts';
import type { LoadTestMessage, LoadTestWork } from './load-tests.ts';

const work = workerData as LoadTestWork;
/** Nothing ends it from within: the thread is ended as a whole. */
const never = new AbortController().signal;
const tell = (message: LoadTestMessage): void => parentPort?.postMessage(message);

try {
  const report = await runLoadTest({ ...work, signal: never, onProgress: (run) => tell({ kind: 'progress', run }) });
  tell({ kind: 'done', report });
} catch (cause) {
  tell({ kind: 'failed', reason: toWireError(cause).message });
}
