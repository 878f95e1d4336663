// Begins a trace for each request of the API and ends it with its response. Console calls have none.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayApp } from '../context.ts';
import { ROW_ENDPOINT } from '../batches/row-requests.ts';
import { onRequestEnd } from '../request-end.ts';
import type { RequestTrace } from './request-trace.ts';
import type { Traces } from './traces.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null for requests that are not traced: the console's, the page's, unknown paths. */
    trace: RequestTrace | null;
  }
}

/** Endpoints that are traced, and the name under which each is recorded. */
const ENDPOINTS: ReadonlyMap<string, string> = new Map([
  ['/v1/chat/completions', '/v1/chat/completions'],
  ['/v1/completions', '/v1/completions'],
  ['/v1/embeddings', '/v1/embeddings'],
  ['/v1/rerank', '/v1/rerank'],
  ['/rerank', '/v1/rerank'],
  ['/v1/classify', '/v1/classify'],
  ['/v1/infer/:model', '/v1/infer'],
  ['/v2/models/:model/infer', '/v1/infer'],
  ['/v1/responses', '/v1/responses'],
  ['/v1/messages', '/v1/messages'],
  ['/api/chat', '/api/chat'],
  ['/api/generate', '/api/generate'],
  ['/api/embed', '/api/embed'],
  ['/api/embeddings', '/api/embeddings'],
]);

/** Must be called before the entry's own checks, so that what they refuse is recorded too. */
export function traceRequests(app: GatewayApp, traces: Traces): void {
  app.decorateRequest('trace', null);
  app.addHook('onRequest', async (request, reply) => {
    const endpoint = request.is404 || request.method === 'OPTIONS' ? undefined : ENDPOINTS.get(request.routeOptions.url ?? '');
    if (endpoint !== undefined) begin(request, reply, traces.begin(request.id, request.row === null ? endpoint : ROW_ENDPOINT), traces);
  });
  app.addHook('preValidation', async (request) => request.trace?.asked(request.body));
}

function begin(request: FastifyRequest, reply: FastifyReply, trace: RequestTrace, traces: Traces): void {
  request.trace = trace;
  const { raw } = reply;
  // The answer to a row goes nowhere: it is whole once it is written.
  const isWhole = (): boolean => (request.row === null ? raw.writableFinished : raw.writableEnded);
  onRequestEnd(request, reply, () => traces.end(trace, { status: raw.headersSent ? raw.statusCode : null, whole: isWhole() }));
}
