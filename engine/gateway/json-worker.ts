// The thread in which large bodies are parsed: takes bytes, answers a value or an error. Owns nothing.
import { parentPort, workerData } from 'node:worker_threads';
import { bug, toWireError, type WireError } from '../errors.ts';
import { parseJson, type JsonLimits } from './json-text.ts';

export interface ParseJob {
  readonly id: number;
  readonly bytes: Uint8Array;
}

export type ParseAnswer =
  | { readonly id: number; readonly kind: 'value'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'error'; readonly error: WireError };

const port = parentPort ?? bug('The JSON worker runs outside a worker thread.');
const limits: JsonLimits = workerData;

port.on('message', ({ id, bytes }: ParseJob) => port.postMessage(answer(id, bytes)));

function answer(id: number, bytes: Uint8Array): ParseAnswer {
  try {
    return { id, kind: 'value', value: parseJson(bytes, limits) };
  } catch (error) {
    return { id, kind: 'error', error: toWireError(error) };
  }
}
