// Owns how rows, answers and questions are written as bytes. Pure. Little-endian, as every platform here.
import type { GenerateEvent } from '../../runner/protocol.ts';

/** A vector or the scores of one input. */
export interface Row {
  readonly tokens: number;
  /** [width] */
  readonly values: Float32Array;
}

const HEAD_BYTES = 4;

/** Tokens as uint32, then the numbers as float32. */
export function rowToBytes({ tokens, values }: Row): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + values.byteLength);
  new DataView(bytes.buffer).setUint32(0, tokens, true);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), HEAD_BYTES);
  return bytes;
}

/** A view where the bytes lie well, else a copy. */
export function bytesToRow(bytes: Uint8Array): Row {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const tokens = new DataView(aligned.buffer, aligned.byteOffset).getUint32(0, true);
  return { tokens, values: new Float32Array(aligned.buffer, aligned.byteOffset + HEAD_BYTES, (aligned.byteLength - HEAD_BYTES) / 4) };
}

type TextEvent = Extract<GenerateEvent, { kind: 'text' }>;
/** A piece of text without the names of its fields: there is one for each token. */
type Piece = readonly [choice: number, text: string, tokens: TextEvent['tokens'], logprobs?: TextEvent['logprobs']];

/** The events of a whole answer, `started` to `done`. */
export function answerToBytes(events: readonly GenerateEvent[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(events.map((event) => (event.kind === 'text' ? toPiece(event) : event))));
}

/** Their `id` is 0. */
export function bytesToAnswer(bytes: Uint8Array): readonly GenerateEvent[] {
  const parts = JSON.parse(new TextDecoder().decode(bytes)) as readonly (Piece | GenerateEvent)[];
  return parts.map((part) => (isPiece(part) ? toEvent(part) : { ...part, id: 0 }));
}

function toPiece({ choice, text, tokens, logprobs }: TextEvent): Piece {
  return logprobs === null ? [choice, text, tokens] : [choice, text, tokens, logprobs];
}

function toEvent([choice, text, tokens, logprobs = null]: Piece): TextEvent {
  return { kind: 'text', id: 0, choice, text, tokens, logprobs };
}

function isPiece(part: Piece | GenerateEvent): part is Piece {
  return Array.isArray(part);
}

/** An earlier question, as the semantic cache finds it again. */
export interface Question {
  /** Digest of all that must be the same for an answer to serve again. */
  readonly context: string;
  /** Key of the answer. */
  readonly answer: string;
  /** Of length 1. */
  readonly vector: Float32Array;
}

/** A digest has this many characters. */
const DIGEST_LENGTH = 43;

/** Both digests, two spare bytes, then the vector. */
export function questionToBytes({ context, answer, vector }: Question): Uint8Array {
  const bytes = new Uint8Array(2 * DIGEST_LENGTH + 2 + vector.byteLength);
  new TextEncoder().encodeInto(context + answer, bytes);
  bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), 2 * DIGEST_LENGTH + 2);
  return bytes;
}

export function bytesToQuestion(bytes: Uint8Array): Question {
  const digests = new TextDecoder().decode(bytes.subarray(0, 2 * DIGEST_LENGTH));
  const vector = new Float32Array(bytes.slice(2 * DIGEST_LENGTH + 2).buffer);
  return { context: digests.slice(0, DIGEST_LENGTH), answer: digests.slice(DIGEST_LENGTH), vector };
}
