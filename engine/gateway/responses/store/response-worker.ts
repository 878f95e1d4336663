// The thread that keeps stored responses, since SQLite is synchronous: one question, one answer, in order.
import { parentPort, workerData } from 'node:worker_threads';
import { EngineError, bug, toWireError } from '../../../errors.ts';
import type { ThreadAnswer, ThreadQuestion } from '../../../ledger/store/thread.ts';
import type { ResponseQuestion, ResponseWorkerData } from './messages.ts';
import { ResponseFile } from './response-file.ts';

const port = parentPort ?? bug('The keeper of responses runs outside a worker thread.');
const { path, keeping } = workerData as ResponseWorkerData;
let file: ResponseFile | null = null;

port.on('message', ({ id, question }: ThreadQuestion<ResponseQuestion>) => port.postMessage(answer(id, question)));

function answer(id: number, question: ResponseQuestion): ThreadAnswer {
  try {
    return { id, kind: 'value', value: carryOut(question) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new EngineError('responses_unavailable', `Stored responses cannot be read or written: ${reason} (${path})`, { cause });
    // The next question opens it anew: damage is found then, and the damaged file set aside.
    end();
    return { id, kind: 'error', error: toWireError(error) };
  }
}

function carryOut(question: ResponseQuestion): unknown {
  if (question.kind === 'close') return end();
  file ??= new ResponseFile(path, keeping, question.nowMs);
  switch (question.kind) {
    case 'save':
      return file.save(question.stored, question.nowMs);
    case 'find':
      return file.find(question.tenant, question.id, question.nowMs);
    case 'history':
      return file.history(question.tenant, question.id, question.most, question.nowMs);
    case 'remove':
      return file.remove(question.tenant, question.id, question.nowMs);
  }
}

function end(): void {
  const open = file;
  file = null;
  try {
    open?.close();
  } catch {
    // A connection that cannot even be closed is given up; its thread holds nothing else.
  }
}
