// Answers requests that fail before they are requests: bad syntax, too large headers, too slow senders.
// Knows sockets and the error shape alone.
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { ERROR_TABLE, EngineError } from '../errors.ts';
import { errorBody, toEngineError } from './error-body.ts';

/** Writes the error and closes the connection; a socket that is gone or has begun an answer is only closed. */
export function answerSocketError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || socket.bytesWritten > 0 || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const known = toEngineError(error);
  const answer = known.code === 'internal' ? new EngineError('invalid_request', 'The request is not valid HTTP.') : known;
  const body = JSON.stringify(errorBody(answer));
  const { status } = ERROR_TABLE[answer.code];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
