// The thread that reads history: one question, one answer, in order. Owns nothing but its Reader.
import { parentPort, workerData } from 'node:worker_threads';
import { bug, toWireError } from '../../errors.ts';
import type { ReadQuestion } from './messages.ts';
import { Reader } from './reader.ts';
import type { ThreadAnswer, ThreadQuestion } from './thread.ts';

const port = parentPort ?? bug('The history reader runs outside a worker thread.');
const reader = new Reader((workerData as { readonly path: string }).path);

port.on('message', ({ id, question }: ThreadQuestion<ReadQuestion>) => port.postMessage(answer(id, question)));

function answer(id: number, question: ReadQuestion): ThreadAnswer {
  try {
    return { id, kind: 'value', value: reader.answer(question) };
  } catch (error) {
    return { id, kind: 'error', error: toWireError(error) };
  }
}
