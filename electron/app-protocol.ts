// Owns `app://millrace/`: the built page, and the engine's API under the same origin, so that the page needs no other.
// The origin stays the same whatever port the engine has, and with it what the page keeps, such as conversations.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

/** The same policy that the engine sends with the page. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Paths that the engine answers. */
export const ENGINE_PATHS = ['/api/', '/v1/', '/docs/', '/openapi.json', '/health', '/ready', '/metrics'] as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** Headers that pass; in particular no Origin, Host, Referer or Cookie. */
const REQUEST_HEADERS = ['accept', 'authorization', 'content-type', 'if-none-match', 'last-event-id'];
const RESPONSE_HEADERS = ['cache-control', 'content-disposition', 'content-type', 'etag', 'retry-after', 'x-request-id'];

export type RequestDecision =
  | { readonly kind: 'page'; readonly path: string }
  | { readonly kind: 'engine'; readonly path: string }
  | { readonly kind: 'refused'; readonly status: 403 | 405 };

/** Who answers a request to the scheme. */
export function decideRequest(method: string, address: string): RequestDecision {
  const url = URL.parse(address);
  if (url === null || url.protocol !== 'app:' || url.host !== 'millrace') return { kind: 'refused', status: 403 };
  const isEngines = ENGINE_PATHS.some((path) => (path.endsWith('/') ? url.pathname.startsWith(path) : url.pathname === path));
  if (isEngines) return { kind: 'engine', path: url.pathname + url.search };
  if (method !== 'GET' && method !== 'HEAD') return { kind: 'refused', status: 405 };
  return { kind: 'page', path: url.pathname === '/' ? '/index.html' : url.pathname };
}

export interface AppProtocolOptions {
  readonly pageDir: string;
  /** Base address of the engine; null while there is none. */
  readonly engineUrl: () => string | null;
}

/** The handler of the scheme. A request that the page gives up is given up at the engine too: Electron cancels the body. */
export function appProtocol({ pageDir, engineUrl }: AppProtocolOptions): (request: Request) => Promise<Response> {
  let page: Promise<ReadonlyMap<string, string>> | null = null;
  return async (request) => {
    const decision = decideRequest(request.method, request.url);
    switch (decision.kind) {
      case 'page':
        return sendPage((await (page ??= listFiles(pageDir))).get(decision.path));
      case 'engine':
        return forward(request, decision.path, engineUrl());
      case 'refused':
        return new Response(null, { status: decision.status });
    }
  };
}

async function sendPage(file: string | undefined): Promise<Response> {
  if (file === undefined) return new Response('There is no such page.', { status: 404 });
  const headers = {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': PAGE_POLICY,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  };
  return new Response(new Uint8Array(await readFile(file)), { headers });
}

/** Every file of the folder by its path in a URL: no path of a request reaches the file system. */
async function listFiles(dir: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [`/${relative(dir, file).split(sep).join('/')}`, file]));
}

async function forward(request: Request, path: string, engineUrl: string | null): Promise<Response> {
  if (engineUrl === null) return engineGone('The engine is not running yet.');
  const { method, signal } = request;
  const hasBody = method !== 'GET' && method !== 'HEAD' && request.body !== null;
  try {
    const body = hasBody ? { body: await request.arrayBuffer() } : {};
    const headers = pick(request.headers, REQUEST_HEADERS);
    const answer = await fetch(new URL(path, engineUrl), { method, headers, signal, redirect: 'manual', ...body });
    return new Response(answer.body, { status: answer.status, headers: pick(answer.headers, RESPONSE_HEADERS) });
  } catch (cause) {
    if (signal.aborted) throw cause;
    return engineGone('The engine does not answer; it is started again.');
  }
}

function pick(headers: Headers, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (headers.has(name) ? [[name, headers.get(name) ?? '']] : [])));
}

/** In the engine's own error shape. */
function engineGone(message: string): Response {
  const error = { message, type: 'server_error', param: null, code: 'draining' };
  return Response.json({ error }, { status: 503, headers: { 'retry-after': '1' } });
}
