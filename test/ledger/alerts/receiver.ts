// A webhook receiver on this machine that answers as a test tells it, and keeps what it got.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status, or what happens instead of an answer. */
export type Reply = number | 'hang up' | 'no answer' | { readonly redirectTo: string };

export class Receiver {
  readonly #server: Server;
  readonly received: Received[] = [];
  /** For the coming messages, in order; after that 204. */
  readonly replies: Reply[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        this.received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString('utf8') });
        const reply = this.replies.shift() ?? 204;
        if (reply === 'hang up') return request.socket.destroy();
        if (reply === 'no answer') return undefined;
        if (typeof reply === 'object') return response.writeHead(302, { location: reply.redirectTo }).end();
        return response.writeHead(reply).end();
      });
    });
  }

  /** Listens on a free port of 127.0.0.1 and returns the address of its webhook. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
