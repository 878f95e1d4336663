// The console page: serves the files that the page's build left, and says how to build it where there are none.
// Only files that were found in the folder are served, so that no path of a request reaches the file system.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayApp, GatewayContext } from '../context.ts';

export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

const NOT_BUILT = `<!doctype html><meta charset="utf-8"><title>Millrace</title>
<h1>Millrace is serving</h1><p>This page is not built yet. Run <code>npm run page</code> in the folder of the source, then reload.</p>
<p>The API does not need it: see <a href="/docs/">the reference</a>.</p>`;

interface PageFile {
  readonly body: Buffer;
  readonly type: string;
  readonly etag: string;
}

export function pageRoutes(app: GatewayApp, { pageDir }: GatewayContext): void {
  let files: Promise<ReadonlyMap<string, PageFile>> | null = null;
  const find = async (path: string): Promise<PageFile | undefined> => {
    const found = await (files ??= readFolder(pageDir));
    if (found.size === 0) files = null;
    return found.get(path);
  };
  app.get('/', { schema: { hide: true } }, async (request, reply) => sendIndex(request, reply, await find('/index.html')));
  app.get('/assets/*', { schema: { hide: true } }, async (request, reply) => {
    const file = await find(request.url.split('?')[0] ?? '');
    if (file === undefined) return reply.callNotFound();
    // The build puts a hash of the content into each name.
    return sendFile(reply, file, 'public, max-age=31536000, immutable');
  });
}

function sendIndex(request: FastifyRequest, reply: FastifyReply, index: PageFile | undefined): FastifyReply {
  if (index === undefined) return reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(NOT_BUILT);
  if (request.headers['if-none-match'] === index.etag) return reply.code(304).header('etag', index.etag).send();
  return sendFile(reply, index, 'no-cache');
}

function sendFile(reply: FastifyReply, file: PageFile, caching: string): FastifyReply {
  const headers = { 'content-security-policy': PAGE_POLICY, 'cache-control': caching, etag: file.etag };
  return reply.headers(headers).type(file.type).send(file.body);
}

/** Every file of the folder by its path in a URL; empty when there is no such folder. */
async function readFolder(dir: string): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(paths.map(async (path) => [urlOf(dir, path), await readPageFile(path)] as const));
  return new Map(files);
}

const urlOf = (dir: string, path: string): string => `/${relative(dir, path).split(sep).join('/')}`;

async function readPageFile(path: string): Promise<PageFile> {
  const body = await readFile(path);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { body, type: TYPES[extname(path)] ?? 'application/octet-stream', etag };
}
