// When a request is over: with its connection, or with the work that it left behind. Knows nothing about what that work is.
import type { FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Resolves when what the request began is done, although its answer has left; never rejects. Null: nothing goes on. */
    workLeft: Promise<void> | null;
  }
}

export function onRequestEnd(request: FastifyRequest, reply: FastifyReply, then: () => void): void {
  reply.raw.once('close', () => {
    if (request.workLeft === null) then();
    else void request.workLeft.then(then);
  });
}
