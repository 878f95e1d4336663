// Downloads go through the proxy that the environment names, and past it where NO_PROXY says so.
import { createServer } from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download } from '../../../engine/models/sources/download.ts';
import { throughProxies } from '../../../engine/models/sources/proxy.ts';

const CONTENT = Buffer.from('the content of a file');

/** Answers every path with the content. */
const origin = createServer((_, response) => response.end(CONTENT));
/** Tunnels every host's port 80 to the origin and refuses the others; keeps what it was asked for. */
const asked: string[] = [];
const proxy = createServer().on('connect', (request, socket: Socket) => {
  asked.push(request.url ?? '');
  socket.on('error', () => undefined);
  if (request.url?.endsWith(':443') === true) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  const upstream = connect((origin.address() as AddressInfo).port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    upstream.pipe(socket).pipe(upstream);
  });
  upstream.on('error', () => socket.destroy());
});

let folder: string;
let proxyUrl: string;
let originUrl: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-proxy-'));
  asked.length = 0;
  for (const server of [origin, proxy]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const server of [origin, proxy]) {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
  rmSync(folder, { recursive: true });
});

function fetchFile(url: string, env: Readonly<Record<string, string>>): Promise<void> {
  const job = { url, headers: {}, target: join(folder, 'file'), sizeBytes: null, checksum: null };
  return throughProxies(env, () => download(job, { retryDelayMs: 1 }));
}

describe('a download', () => {
  it.each(['HTTP_PROXY', 'http_proxy'])('of a name that only the proxy knows arrives by %s', async (name) => {
    await fetchFile('http://models.invalid/file', { [name]: proxyUrl });
    expect(asked).toEqual(['models.invalid:80']);
    expect(readFileSync(join(folder, 'file'))).toEqual(CONTENT);
  });

  it('over TLS asks the proxy of HTTPS_PROXY for a tunnel, and no other way when that refuses', async () => {
    const refused = fetchFile('https://models.invalid/file', { HTTPS_PROXY: proxyUrl });
    await expect(refused).rejects.toMatchObject({ code: 'source_unreachable' });
    expect(new Set(asked)).toEqual(new Set(['models.invalid:443']));
  });

  it('goes past the proxy where NO_PROXY names the host, and when it is over', async () => {
    await fetchFile(originUrl, { HTTP_PROXY: proxyUrl, NO_PROXY: '127.0.0.1' });
    expect(asked).toEqual([]);
    await fetchFile('http://models.invalid/file', { HTTP_PROXY: proxyUrl }).finally(() => asked.splice(0));
    expect(await (await fetch(originUrl)).text()).toBe(CONTENT.toString());
    expect(asked).toEqual([]);
  });

  it('is refused before it begins when the proxy has no address, without telling what was given', async () => {
    const refused = fetchFile(originUrl, { HTTP_PROXY: 'ftp//secret' });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', message: expect.not.stringContaining('secret') });
  });
});
