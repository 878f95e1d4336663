import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProtocol, decideRequest, PAGE_POLICY } from '../../electron/app-protocol.ts';
import { PAGE_POLICY as ENGINE_POLICY } from '../../engine/gateway/routes/page.ts';

describe('decideRequest', () => {
  it.each([
    ['GET', 'app://millrace/', { kind: 'page', path: '/index.html' }],
    ['GET', 'app://millrace/assets/a.js?x', { kind: 'page', path: '/assets/a.js' }],
    ['GET', 'app://millrace/../../etc/passwd', { kind: 'page', path: '/etc/passwd' }],
    ['POST', 'app://millrace/', { kind: 'refused', status: 405 }],
    ['GET', 'app://millrace/api/cost?from=1', { kind: 'engine', path: '/api/cost?from=1' }],
    ['POST', 'app://millrace/v1/chat/completions', { kind: 'engine', path: '/v1/chat/completions' }],
    ['GET', 'app://millrace/health', { kind: 'engine', path: '/health' }],
    ['GET', 'app://millrace/healthy', { kind: 'page', path: '/healthy' }],
    ['GET', 'app://elsewhere/api/cost', { kind: 'refused', status: 403 }],
    ['GET', 'http://millrace/api/cost', { kind: 'refused', status: 403 }],
    ['GET', 'nonsense', { kind: 'refused', status: 403 }],
  ])('%s %s', (method, url, decision) => {
    expect(decideRequest(method, url)).toEqual(decision);
  });
});

describe('appProtocol', () => {
  let dir: string;
  let server: Server;
  let engineUrl: string | null = null;
  let answer: (request: Request) => Promise<Response>;
  const seen: { readonly request: IncomingMessage; readonly body: string }[] = [];
  const closed: string[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'page-'));
    await mkdir(join(dir, 'assets'));
    await writeFile(join(dir, 'index.html'), '<p>the page</p>');
    await writeFile(join(dir, 'assets', 'a.js'), 'x');
    server = createServer((request, response) => {
      const got = { request, body: '' };
      seen.push(got);
      request.setEncoding('utf8').on('data', (text: string) => (got.body += text));
      response.on('close', () => closed.push(request.url ?? ''));
      response.writeHead(201, {
        'content-type': 'text/event-stream',
        'x-request-id': 'r1',
        'set-cookie': 'a=b',
        'access-control-allow-origin': '*',
      });
      response.write('data: 1\n\n');
      request.on('end', () => request.url !== '/api/live' && response.end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    engineUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    answer = appProtocol({ pageDir: dir, engineUrl: () => engineUrl });
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true });
  });

  it('has the policy that the engine has', () => {
    expect(PAGE_POLICY).toBe(ENGINE_POLICY);
  });

  it('serves the built page under its policy, and no other file', async () => {
    const page = await answer(new Request('app://millrace/'));
    expect(await page.text()).toBe('<p>the page</p>');
    expect(page.headers.get('content-security-policy')).toBe(PAGE_POLICY);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect((await answer(new Request('app://millrace/assets/a.js'))).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    for (const path of ['/assets', '/assets/', '/assets/b.js', '/%2e%2e/secret', '/..%2fsecret', '//etc/passwd', '/C:/windows'])
      expect((await answer(new Request(`app://millrace${path}`))).status, path).toBe(404);
  });

  it('takes the API to the engine: the body and few headers, and back few headers', async () => {
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer k',
      origin: 'app://millrace',
      cookie: 'a=b',
      referer: 'app://millrace/',
    };
    const reply = await answer(new Request('app://millrace/v1/embeddings?x=1', { method: 'POST', headers, body: '{"input":"ä"}' }));
    const [got] = seen;
    expect(got?.request).toMatchObject({ method: 'POST', url: '/v1/embeddings?x=1' });
    expect(got?.body).toBe('{"input":"ä"}');
    expect(got?.request.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer k',
      host: new URL(engineUrl ?? '').host,
    });
    for (const name of ['origin', 'cookie', 'referer']) expect(got?.request.headers[name]).toBeUndefined();
    expect([reply.status, await reply.text()]).toEqual([201, 'data: 1\n\n']);
    expect(Object.fromEntries(reply.headers)).toEqual({ 'content-type': 'text/event-stream', 'x-request-id': 'r1' });
  });

  it('streams, and gives up at the engine what the page gives up', async () => {
    const reply = await answer(new Request('app://millrace/api/live'));
    const reader = reply.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n');
    await reader?.cancel();
    while (!closed.includes('/api/live')) await new Promise((resolve) => setImmediate(resolve));
  });

  it('answers in the engine’s error shape while there is no engine', async () => {
    const absent = appProtocol({ pageDir: dir, engineUrl: () => null });
    const dead = appProtocol({ pageDir: dir, engineUrl: () => 'http://127.0.0.1:1' });
    for (const handler of [absent, dead]) {
      const reply = await handler(new Request('app://millrace/api/status'));
      expect(reply.status).toBe(503);
      expect(await reply.json()).toMatchObject({ error: { type: 'server_error', param: null, code: 'draining' } });
    }
  });
});
