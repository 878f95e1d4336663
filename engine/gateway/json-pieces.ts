// Sends an answer that is made piece by piece: a short one whole, a long one as a stream with a turn of the event loop between pieces.
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';

/** Answers up to this many pieces are sent at once. */
const WHOLE_PIECES = 4;

export function sendJsonPieces(reply: FastifyReply, pieces: Iterator<string>): FastifyReply {
  const head: string[] = [];
  for (let next = pieces.next(); ; next = pieces.next()) {
    if (next.done === true) return reply.type('application/json; charset=utf-8').send(head.join(''));
    head.push(next.value);
    if (head.length === WHOLE_PIECES) break;
  }
  return reply.type('application/json; charset=utf-8').send(Readable.from(spread(head, pieces), { objectMode: false }));
}

async function* spread(head: readonly string[], pieces: Iterator<string>): AsyncGenerator<string> {
  yield* head;
  for (let next = pieces.next(); next.done !== true; next = pieces.next()) {
    await setImmediate();
    yield next.value;
  }
}
