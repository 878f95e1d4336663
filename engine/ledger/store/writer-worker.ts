// The thread that writes history: one question, one answer, in order. Owns nothing but its Writer.
import { parentPort, workerData } from 'node:worker_threads';
import { bug } from '../../errors.ts';
import type { WriteQuestion } from './messages.ts';
import type { ThreadAnswer, ThreadQuestion } from './thread.ts';
import { Writer } from './writer.ts';

const port = parentPort ?? bug('The history writer runs outside a worker thread.');
const writer = new Writer((workerData as { readonly path: string }).path);

port.on('message', ({ id, question }: ThreadQuestion<WriteQuestion>) => {
  port.postMessage({ id, kind: 'value', value: writer.answer(question) } satisfies ThreadAnswer);
});
