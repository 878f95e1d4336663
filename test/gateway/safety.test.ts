import { describe, expect, it } from 'vitest';
import { ask, errorOf, post, rawExchange, serving } from './serving.ts';

const CHAT = '/v1/chat/completions';

describe('where requests may come from', () => {
  it('refuses a foreign host, and none at all', async () => {
    const { port } = await serving();
    const foreign = await rawExchange(port, 'GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    expect(foreign).toMatch(/^HTTP\/1\.1 403 [^]*"code":"host_not_allowed"/);
    expect(await rawExchange(port, 'GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 403 [^]*"code":"host_not_allowed"/,
    );
  });

  it('refuses pages of other sites, and gives them no CORS header', async () => {
    const { url, host } = await serving();
    const response = await post(url + CHAT, ask(), { headers: { 'content-type': 'application/json', origin: 'https://evil.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(await errorOf(response)).toMatchObject({ status: 403, code: 'host_not_allowed' });
    const preflight = await fetch(url + CHAT, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(403);
    expect(host.requests).toEqual([]);
  });

  it('lets an allowed origin in, streams included', async () => {
    const origin = 'https://chat.example';
    const { url } = await serving({}, { allowedOrigins: [origin] });
    const preflight = await fetch(url + CHAT, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-private-network': 'true' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-private-network')).toBe('true');
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    for (const extra of [{}, { stream: true }]) {
      const response = await post(url + CHAT, ask(extra), { headers: { 'content-type': 'application/json', origin } });
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('vary')).toContain('Origin');
      await response.text();
    }
  });

  it('does not listen beyond loopback, and says what to do', async () => {
    await expect(serving({}, { host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'host',
      message: expect.stringContaining('millrace key create'),
    });
  });
});

describe('listening', () => {
  it('says what to do when the port is taken', async () => {
    const { port } = await serving();
    await expect(serving({}, { port })).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'port',
      message: expect.stringContaining(String(port)),
    });
  });
});

describe('headers', () => {
  it('carries a request id, the client’s own if it is a plain one', async () => {
    const { url } = await serving();
    expect((await fetch(`${url}/health`)).headers.get('x-request-id')).toMatch(/^req_/);
    expect((await fetch(`${url}/health`, { headers: { 'x-request-id': 'abc-1' } })).headers.get('x-request-id')).toBe('abc-1');
    expect((await fetch(`${url}/health`, { headers: { 'x-request-id': 'a b' } })).headers.get('x-request-id')).toMatch(/^req_/);
    const stream = await post(url + CHAT, ask({ stream: true }), {
      headers: { 'content-type': 'application/json', 'x-request-id': 's-1' },
    });
    expect(stream.headers.get('x-request-id')).toBe('s-1');
    await stream.text();
  });

  it('gives the page a policy that allows nothing foreign or inline', async () => {
    const { url } = await serving();
    const response = await fetch(url);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('gives the reference page its script from this server alone', async () => {
    const { url } = await serving();
    const response = await fetch(`${url}/docs/`);
    const html = await response.text();
    expect(response.headers.get('content-security-policy')).toContain("connect-src 'self'");
    expect(html).not.toMatch(/(src|href)="https?:/);
    const script = await fetch(new URL(/src="([^"]+)"/.exec(html)?.[1] ?? '', `${url}/docs/`));
    expect(script.status).toBe(200);
    expect((await script.text()).length).toBeGreaterThan(1_000_000);
  });
});
