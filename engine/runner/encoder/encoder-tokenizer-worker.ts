// Owns a worker thread that splits texts into an encoder's tokens, so that a long text never delays a batch.
// One question at a time; whoever started it ends the thread when a question takes too long.
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Tokenizer } from '@huggingface/tokenizers';
import { toWireError } from '../../errors.ts';
import { collectGarbageSoon } from '../../heap.ts';
import type { EncodeInput } from '../protocol.ts';
import type { ThreadReply } from '../tokenizer-thread.ts';
import type { EncoderText } from './encoder-session.ts';
import { TextEncoding } from './text-encoding.ts';

export interface EncoderWorkerData {
  /** Absolute path of tokenizer.json. */
  readonly file: string;
  /** Of one text, special ones included. */
  readonly maxTokens: number;
  readonly vocabSize: number;
}

export interface EncoderQuestion {
  readonly inputs: readonly EncodeInput[];
  /** Place of the first of them among the request's inputs. */
  readonly first: number;
  readonly truncate: boolean;
}

/** Texts one behind the other. */
export interface EncoderTokens {
  readonly tokens: Int32Array;
  /** Where each text ends in `tokens`. */
  readonly ends: Int32Array;
  /** Where the second text of each pair begins, counted from the beginning of its text. */
  readonly secondStarts: Int32Array;
}

function answer(encoding: TextEncoding, { inputs, first, truncate }: EncoderQuestion): EncoderTokens {
  return pack(inputs.map((input, at) => encoding.encode(input, { index: first + at, truncate })));
}

function pack(texts: readonly EncoderText[]): EncoderTokens {
  const ends = new Int32Array(texts.length);
  let total = 0;
  texts.forEach(({ tokens }, at) => (ends[at] = total += tokens.length));
  const tokens = new Int32Array(total);
  texts.forEach((text, at) => tokens.set(text.tokens, (ends[at] ?? 0) - text.tokens.length));
  return { tokens, ends, secondStarts: Int32Array.from(texts, ({ secondStart }) => secondStart) };
}

function reply(message: ThreadReply<EncoderTokens>): void {
  const buffers = message.kind === 'answer' ? Object.values(message.answer).map(({ buffer }) => buffer as ArrayBuffer) : [];
  parentPort?.postMessage(message, buffers);
}

function serve({ file, maxTokens, vocabSize }: EncoderWorkerData): void {
  try {
    const tokenizer = new Tokenizer(JSON.parse(readFileSync(file, 'utf8')) as object, {});
    const encoding = new TextEncoding({ tokenizer, maxTokens, vocabSize });
    parentPort?.on('message', (question: EncoderQuestion) => {
      try {
        reply({ kind: 'answer', answer: answer(encoding, question) });
      } catch (error) {
        reply({ kind: 'refused', error: toWireError(error) });
      }
    });
    reply({ kind: 'ready' });
    collectGarbageSoon();
  } catch (error) {
    reply({ kind: 'loadFailed', error: toWireError(error) });
  }
}

if (parentPort !== null) serve(workerData as EncoderWorkerData);
