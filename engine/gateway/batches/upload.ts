// Reads a multipart upload as it arrives: one file, straight to whoever keeps files, and a few short fields in any order.
// Knows nothing about what the fields mean.
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { EngineError } from '../../errors.ts';
import type { ReceivedFile } from '../../jobs/batches/batch-control.ts';
import { invalid } from '../openai/faults.ts';

export interface Upload {
  readonly received: ReceivedFile;
  readonly filename: string;
  readonly fields: ReadonlyMap<string, string>;
}

interface Keeper {
  receive(source: AsyncIterable<Uint8Array>): Promise<ReceivedFile>;
  discard(received: ReceivedFile): Promise<void>;
}

interface Parts {
  readonly fields: Map<string, string>;
  file: { readonly stream: Readable; readonly filename: string; readonly receiving: Promise<ReceivedFile> } | null;
}

const FILE_FIELD = 'file';
const LIMITS = { fieldNameSize: 100, fieldSize: 4_096, fields: 20, files: 1, parts: 21, headerPairs: 20 } as const;
const MOST_NAME_CHARS = 255;

/** Nothing is kept of an upload that fails. @throws EngineError `invalid_request`, and what the keeper throws */
export async function readUpload(request: IncomingMessage, keeper: Keeper): Promise<Upload> {
  const parts: Parts = { fields: new Map(), file: null };
  try {
    await parse(request, keeper, parts);
    const received = await parts.file?.receiving;
    if (received === undefined || parts.file === null) throw invalid(FILE_FIELD, 'file is required: a part of the form with a file name.');
    return { received, filename: parts.file.filename, fields: parts.fields };
  } catch (cause) {
    parts.file?.stream.destroy(new Error('The upload has ended.'));
    await parts.file?.receiving.then(keeper.discard.bind(keeper), () => undefined);
    throw cause;
  }
}

/** Resolves when every part has arrived; the source stays open for an answer. */
function parse(request: IncomingMessage, keeper: Keeper, parts: Parts): Promise<void> {
  const parser = createParser(request);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      request.unpipe(parser);
      reject(error);
    };
    parser.on('file', (name, stream, filename) => {
      // A body that is cut ends the part with an error, perhaps before anybody reads it.
      stream.on('error', (cause) => fail(malformed(cause)));
      if (name !== FILE_FIELD || parts.file !== null) return void stream.resume();
      const receiving = keeper.receive(stream);
      parts.file = { stream, filename: filename.slice(0, MOST_NAME_CHARS), receiving };
      receiving.catch(fail);
    });
    parser.on('field', (name, value) => parts.fields.set(name, value));
    parser.once('filesLimit', () => fail(invalid(FILE_FIELD, 'An upload has one file.')));
    parser.on('error', (cause) => fail(malformed(cause)));
    parser.once('finish', () => resolve());
    request.on('error', (cause) => fail(malformed(cause)));
    request.once('close', () => request.complete || fail(malformed(null)));
    request.pipe(parser);
  });
}

function createParser({ headers }: IncomingMessage): BusboyInstance {
  try {
    return new Busboy({ headers: headers as BusboyHeaders, limits: LIMITS });
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause: unknown): EngineError {
  const detail = cause instanceof Error ? `: ${cause.message}` : '';
  return new EngineError('invalid_request', `The upload is not a whole multipart/form-data body${detail}.`, { cause });
}
