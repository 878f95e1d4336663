// What every request passes before its route: an id, access, CORS, safe headers; and the way out of every error.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_TABLE, EngineError } from '../errors.ts';
import { LimitError } from '../access/access.ts';
import { decideAccess, type AccessRules } from './access.ts';
import { admitCaller, checkModel } from './admit.ts';
import type { GatewayApp, GatewayContext } from './context.ts';
import { toEngineError } from './error-body.ts';
import { errorBodyFor } from './error-dialect.ts';
import type { Limits } from './limits.ts';
import { ROUTE_HEADERS } from './route-ask.ts';
import { followRoutes } from './unknown-paths.ts';

const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
} as const;

const RATE_HEADERS = ['limit', 'remaining', 'reset'].flatMap((what) => [`x-ratelimit-${what}-requests`, `x-ratelimit-${what}-tokens`]);
const EXPOSED_HEADERS = ['x-request-id', 'retry-after', 'x-millrace-cache', ...ROUTE_HEADERS, ...RATE_HEADERS].join(', ');

/** The client's own id when it is a plain one, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : `req_${randomUUID()}`;
}

/** Checks each request before its body is read; must be called before the routes are registered. */
export function guardEntry(app: GatewayApp, context: GatewayContext, rules: AccessRules): void {
  const explainUnknown = followRoutes(app);
  const refuseUnknown = (request: FastifyRequest, reply: FastifyReply): never => {
    const { error, allow } = explainUnknown(request.method, request.url);
    if (allow !== null) void reply.header('allow', allow);
    throw error;
  };
  app.setNotFoundHandler(refuseUnknown);
  app.addHook('onRequest', async (request, reply) => {
    cutUnread(reply.raw, context.limits.unreadMs);
    void reply.headers({ 'x-request-id': request.id, ...SAFE_HEADERS });
    if (context.activity.draining) void reply.header('connection', 'close');
    const { host, origin, 'content-type': contentType } = request.headers;
    const question = {
      method: request.method,
      host,
      origin,
      scheme: request.protocol,
      contentType,
      hasBody: hasBody(request.raw),
      console: isConsole(request),
      takesFiles: request.routeOptions.url === '/v1/files',
    };
    const decision = decideAccess(question, rules);
    if (decision.kind === 'refused') {
      if (request.is404 && decision.code === 'unsupported_media_type') refuseUnknown(request, reply);
      throw new EngineError(decision.code, decision.reason);
    }
    if (decision.corsOrigin !== null) allowOrigin(reply, decision.corsOrigin);
    if (request.method === 'OPTIONS') return answerPreflight(request, reply);
    return request.is404 ? refuseUnknown(request, reply) : admitCaller(request, reply, context.access);
  });
  app.addHook('preValidation', async (request) => checkModel(request));
}

/** Paths that show or steer the server itself; all others are the API's. */
function isConsole({ routeOptions, url }: FastifyRequest): boolean {
  // The route's own path where there is one: that of the request may be spelled with percent signs.
  return (routeOptions.url ?? url).startsWith('/api/');
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Closes the connection of a reader that does not take the end of its answer. */
function cutUnread(response: ServerResponse, unreadMs: number): void {
  response.once('prefinish', () => {
    const cut = setTimeout(() => response.destroy(), unreadMs);
    response.once('close', () => clearTimeout(cut));
  });
}

function allowOrigin(reply: FastifyReply, origin: string): void {
  void reply.headers({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': EXPOSED_HEADERS,
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'Origin',
  });
}

function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const wanted = request.headers['access-control-request-headers'];
  // Browsers ask before a public page may reach a private address (Private Network Access).
  if (request.headers['access-control-request-private-network'] === 'true')
    void reply.header('access-control-allow-private-network', 'true');
  return reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
      'access-control-allow-headers': wanted ?? 'authorization, content-type',
      'access-control-max-age': '600',
    })
    .send();
}

type SendError = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Answers any thrown value in the one error shape. */
export function errorSender(limits: Limits): SendError {
  return (thrown, request, reply) => {
    const error = toEngineError(thrown);
    const { status } = ERROR_TABLE[error.code];
    // A path that is no URL fails before a request is decorated.
    request.trace?.failed(error.code);
    if (status >= 500) request.log.error({ err: thrown, code: error.code }, 'a request failed');
    if (error.retryAfterSeconds !== null) void reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfterSeconds))));
    if (error instanceof LimitError) void reply.headers(error.headers);
    if (error.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer');
    if (isMuchUnread(request.raw, limits.skippedBodyBytes)) void reply.header('connection', 'close');
    return reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send(errorBodyFor(request.url, error, request.id));
  };
}

/** Whether more of a refused body is to come than is worth reading to keep the connection. */
function isMuchUnread(request: IncomingMessage, skippedBytes: number): boolean {
  if (request.complete) return false;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || Number(length ?? 0) > skippedBytes;
}
