// The thread that reads input files: 200 MB of JSON would hold up everybody else. Owns nothing.
import { parentPort } from 'node:worker_threads';
import { bug, toWireError } from '../../errors.ts';
import type { ThreadAnswer, ThreadQuestion } from '../../ledger/store/thread.ts';
import { readInput } from './read-input.ts';

export interface InputQuestion {
  readonly path: string;
  readonly endpoint: string;
}

const port = parentPort ?? bug('Input files are read outside a worker thread.');

port.on('message', ({ id, question }: ThreadQuestion<InputQuestion>) => port.postMessage(answer(id, question)));

function answer(id: number, { path, endpoint }: InputQuestion): ThreadAnswer {
  try {
    return { id, kind: 'value', value: readInput(path, endpoint) };
  } catch (error) {
    return { id, kind: 'error', error: toWireError(error) };
  }
}
