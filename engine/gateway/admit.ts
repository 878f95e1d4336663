// Reads from a request who asks, and lets them in or not: by key, scope, and the limits of the key. Before the body is read.
// Knows HTTP; what keys are worth is the business of engine/access.
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import type { BudgetDecision } from '../access/budget.ts';
import {
  LOCAL,
  mayUseModel,
  priorityOf,
  refusesDoor,
  type Caller,
  type Credentials,
  type Door,
  type Identified,
} from '../access/caller.ts';
import { EngineError } from '../errors.ts';
import type { RequestCaller } from '../fleet/host.ts';
import { isLoopback } from './access.ts';
import type { EnteredRow } from './batches/row-requests.ts';
import { onRequestEnd } from './request-end.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null where nobody needs to be known. */
    caller: Caller | null;
    /** What the budget of their key allows; null where nothing is counted. */
    budget: BudgetDecision | null;
  }
}

export const SESSION_COOKIE = 'millrace_session';

/** Paths that show nothing of what the server does for others. */
const OPEN_PATHS: ReadonlySet<string> = new Set([
  '/',
  '/assets/*',
  '/health',
  '/ready',
  '/v2',
  '/v2/health/live',
  '/v2/health/ready',
  '/openapi.json',
  '/docs',
  '/docs/*',
  '/api/session',
  '/api/pair',
  '/ca',
  '/ca.crt',
]);

/** Paths of the API outside of `/v1`, and the endpoint by whose name a key is let in. Of Ollama's, those that steer models are the console's. */
const OTHER_API_PATHS: ReadonlyMap<string, string> = new Map([
  ['/v2/models/:model', 'models'],
  ['/v2/models/:model/ready', 'models'],
  ['/v2/models/:model/infer', 'infer'],
  ['/rerank', 'rerank'],
  ['/tokenize', 'completions'],
  ['/detokenize', 'completions'],
  ['/api/chat', 'chat'],
  ['/api/generate', 'completions'],
  ['/api/embed', 'embeddings'],
  ['/api/embeddings', 'embeddings'],
  ['/api/tags', 'models'],
  ['/api/show', 'models'],
  ['/api/ps', 'models'],
  ['/api/version', 'models'],
]);

/** What a route is for; whatever is not known is the console's. */
export function doorOf(route: string): Door {
  if (OPEN_PATHS.has(route)) return { kind: 'open' };
  if (route === '/metrics') return { kind: 'metrics' };
  const endpoint = /^\/v1\/([^/]+)/.exec(route)?.[1] ?? OTHER_API_PATHS.get(route);
  return endpoint === undefined ? { kind: 'console' } : { kind: 'api', endpoint };
}

/** Decides who asks and whether they may, and counts the request against the limits of their key.
 *  @throws EngineError `unauthorized`, `permission_denied`; LimitError */
export function admitCaller(request: FastifyRequest, reply: FastifyReply, access: Access | null): void {
  const door = doorOf(request.routeOptions.url ?? request.url);
  const identified = request.row === null ? identify(request.raw, access) : knownRow(request.row);
  if (identified.kind === 'unknown') {
    if (door.kind !== 'open') throw new EngineError('unauthorized', identified.reason);
    return;
  }
  const { caller } = identified;
  request.caller = caller;
  request.trace?.askedBy(caller);
  const refusal = refusesDoor(caller, door);
  if (refusal !== null) throw new EngineError('permission_denied', refusal);
  if (access === null || request.trace === null) return;
  // A key's rates are for what its holder does now.
  if (request.row !== null) request.budget = access.admitBackground(caller);
  else takeTicket(request, reply, access.admit(caller, foreseenTokens(request.raw)));
}

/** @throws EngineError `permission_denied` for a model that is not in the key's scope */
export function checkModel({ body, caller }: FastifyRequest): void {
  if (caller === null || typeof body !== 'object' || body === null || !('model' in body) || typeof body.model !== 'string') return;
  refuseModel(caller, body.model);
}

/** @throws EngineError `permission_denied` for a model that is not in the key's scope */
export function refuseModel(caller: Caller, model: string): void {
  if (mayUseModel(caller, model)) return;
  const models = caller.key?.scopes.models ?? [];
  const message = `The API key ${caller.key?.id ?? ''} may not use the model ${JSON.stringify(model)}; it is for ${models.join(', ')}.`;
  throw new EngineError('permission_denied', message, { param: 'model' });
}

/** On whose behalf the host works. */
export function requestCaller({ caller, budget, row }: FastifyRequest): RequestCaller {
  const { tenant, key } = caller ?? LOCAL;
  return {
    tenant,
    keyId: key?.id ?? null,
    priority: row === null ? priorityOf({ key }) : 'batch',
    models: key?.scopes.models ?? null,
    upstreamUsdLeft: budget?.upstreamUsdLeft ?? null,
    isDegraded: budget?.isDegraded ?? false,
  };
}

function knownRow({ caller }: EnteredRow): Identified {
  return { kind: 'known', caller };
}

function identify(raw: IncomingMessage, access: Access | null): Identified {
  if (access === null) return { kind: 'known', caller: LOCAL };
  return access.identify({ ...credentialsOf(raw), session: cookieOf(raw.headers.cookie) });
}

/** The key of a request, from where clients of OpenAI's and Anthropic's APIs put it. */
export function credentialsOf({ headers, socket }: IncomingMessage): Credentials {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  const apiKey = headers['x-api-key'];
  // What a proxy on this machine passes on comes from elsewhere.
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip'].some((name) => headers[name] !== undefined);
  return {
    presented: bearer ?? (typeof apiKey === 'string' ? apiKey : null),
    isLocal: !isForwarded && isLoopback((socket.remoteAddress ?? '').replace(/^::ffff:/, '')),
  };
}

function cookieOf(header: string | undefined): string | null {
  const pair = (header ?? '').split(';').find((part) => part.trim().startsWith(`${SESSION_COOKIE}=`));
  return pair?.trim().slice(SESSION_COOKIE.length + 1) ?? null;
}

type Ticket = ReturnType<Access['admit']>;

function takeTicket(request: FastifyRequest, reply: FastifyReply, ticket: Ticket): void {
  request.budget = ticket.budget;
  void reply.headers(ticket.headers);
  const { trace } = request;
  onRequestEnd(request, reply, () => {
    const { promptTokens = 0, completionTokens = 0 } = trace?.progress.tokens ?? {};
    ticket.release(promptTokens + completionTokens);
  });
}

/** JSON of a prompt has about four bytes a token; what is used is settled when it is known. */
const BYTES_PER_TOKEN = 4;

function foreseenTokens({ headers }: IncomingMessage): number {
  return Math.ceil(Number(headers['content-length'] ?? 0) / BYTES_PER_TOKEN);
}
