// Owns one encode request on the engine's side: gathers its rows, whichever batches and processes they come from, into one answer.
// Knows nothing about processes.
import { fromWireError, type EngineError } from '../errors.ts';
import type { EncodeRequest, Encoding } from './host.ts';
import type { Job } from './requests.ts';

/** Where the end of a request goes that is answered at once. */
export interface JobOutcome<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (error: EngineError) => void;
}

/** The job of an encode request. It may restart at any time: nothing of it is told before all of it is there, and a row that is computed
 *  again is the same. */
export function encodeJob(id: number, { inputs, params }: EncodeRequest, { resolve, reject }: JobOutcome<Encoding>): Job {
  const tokens = new Int32Array(inputs.length);
  let values: Float32Array | null = null;
  let missing = inputs.length;
  return {
    id,
    message: { kind: 'encode', id, inputs, params },
    deliver: (event) => event.kind === 'error' && reject(fromWireError(event.error)),
    answer: () => undefined,
    takeRow: (row, rowValues) => {
      values ??= new Float32Array(inputs.length * rowValues.length);
      // A row has one token at least, so 0 marks those that are missing.
      if (tokens[row.input] === 0) missing--;
      tokens[row.input] = row.tokens;
      values.set(rowValues, row.input * rowValues.length);
      if (missing === 0) resolve({ values, width: rowValues.length, tokens });
      return missing === 0;
    },
    mayRestart: () => true,
  };
}
