// Owns the requests that the server makes to itself for rows of batches: they pass validation, routing, caches and records as any other.
// Each is known by a secret that never leaves the process. Knows nothing about batches.
import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest, LightMyRequestResponse } from 'fastify';
import type { Access } from '../../access/access.ts';
import type { Caller } from '../../access/caller.ts';
import { EngineError } from '../../errors.ts';
import type { ModelHost } from '../../fleet/host.ts';
import type { RowAnswer, RowRequest, RowServer } from '../../jobs/batches/batch-control.ts';
import type { GatewayApp } from '../context.ts';
import { errorBody } from '../error-body.ts';
import { onRequestEnd } from '../request-end.ts';
import { Foreground } from './foreground.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a row of a batch; null for requests from outside. */
    row: EnteredRow | null;
  }
}

/** A row on its way through the gateway. */
export interface EnteredRow {
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

export const ROW_ENDPOINT = '/v1/batches';
const ROW_HEADER = 'x-millrace-row';
/** Those that are served may be rows. */
const ENDPOINTS = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses', '/v1/rerank'] as const;

export class RowRequests implements RowServer {
  readonly #app: GatewayApp;
  readonly #host: ModelHost;
  readonly #access: Access | null;
  readonly #interactive = new Foreground();
  readonly #entered = new Map<string, EnteredRow>();
  readonly #closing = new AbortController();

  constructor(app: GatewayApp, host: ModelHost, access: Access | null) {
    this.#app = app;
    this.#host = host;
    this.#access = access;
  }

  get foreground(): number {
    return this.#interactive.count;
  }

  onForeground(listener: () => void): () => void {
    return this.#interactive.onChange(listener);
  }

  endpoints(): readonly string[] {
    return ENDPOINTS.filter((url) => this.#app.hasRoute({ url, method: 'POST' }));
  }

  slotsOf(model: string): number | null {
    const state = this.#host.get(model)?.state;
    return state?.kind === 'ready' ? state.info.maxSlots : null;
  }

  async run(row: RowRequest, signal: AbortSignal): Promise<RowAnswer> {
    const caller = this.#callerOf(row);
    if (caller instanceof EngineError) return { status: 401, body: JSON.stringify(errorBody(caller)) };
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    ended.throwIfAborted();
    const token = randomUUID();
    this.#entered.set(token, { caller, signal: ended });
    try {
      const { statusCode, body } = await this.#inject(row, token);
      return { status: statusCode, body };
    } catch (cause) {
      ended.throwIfAborted();
      throw cause;
    } finally {
      this.#entered.delete(token);
    }
  }

  /** Rows that run stop at once, and no more are taken. */
  close(): void {
    this.#closing.abort(new EngineError('draining', 'The server is shutting down.'));
  }

  /** Tells rows and interactive requests apart; must be called before requests are traced. */
  markRows(): void {
    this.#app.decorateRequest('row', null);
    this.#app.addHook('onRequest', async (request, reply) => {
      request.row = this.#enter(request, reply);
    });
  }

  /** Counts what is interactive; must be called after requests are traced. */
  countInteractive(): void {
    this.#app.addHook('onRequest', async (request, reply) => {
      if (request.trace !== null && request.row === null) onRequestEnd(request, reply, this.#interactive.begin());
    });
  }

  #enter({ headers }: FastifyRequest, { raw }: FastifyReply): EnteredRow | null {
    const token = headers[ROW_HEADER];
    const row = typeof token === 'string' ? this.#entered.get(token) : undefined;
    if (row === undefined) return null;
    const end = (): void => void raw.destroy();
    if (row.signal.aborted) end();
    row.signal.addEventListener('abort', end, { once: true });
    raw.once('close', () => row.signal.removeEventListener('abort', end));
    return row;
  }

  #inject({ requestId, endpoint, body }: RowRequest, token: string): Promise<LightMyRequestResponse> {
    const headers = { host: 'localhost', 'content-type': 'application/json', 'x-request-id': requestId, [ROW_HEADER]: token };
    return this.#app.inject({ method: 'POST', url: endpoint, headers, payload: Buffer.from(body) });
  }

  /** The key may have ended since the batch was made. */
  #callerOf({ tenant, keyId }: RowRequest): Caller | EngineError {
    if (keyId === null || this.#access === null) return { tenant, key: null };
    const identified = this.#access.holderOf(keyId);
    return identified.kind === 'known' ? identified.caller : new EngineError('unauthorized', identified.reason);
  }
}
