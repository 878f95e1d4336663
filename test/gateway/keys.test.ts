import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { AuditEntry, KeyRow, NewKey, PairingCode, SessionInfo } from '../../engine/contract.ts';
import { createGateway } from '../../engine/gateway/gateway.ts';
import type { RequestRecord } from '../../engine/ledger/ledger.ts';
import { openedAccess, wish, type Opened } from '../access/opened.ts';
import { FakeHost } from '../fakes/host.ts';
import { ask, errorOf, post, rawExchange, serving, until, type Serving } from './serving.ts';

const CHAT = '/v1/chat/completions';
/** As a proxy on this machine passes on what comes from another one. */
const ELSEWHERE = { 'x-forwarded-for': '192.0.2.7' };
const JSON_TYPE = { 'content-type': 'application/json' };

interface Keyed extends Serving, Opened {
  readonly records: RequestRecord[];
}

async function keyed(host: ConstructorParameters<typeof FakeHost>[0] = {}, requireKey = false): Promise<Keyed> {
  const opened = await openedAccess({ requireKey });
  const records: RequestRecord[] = [];
  const served = await serving(host, {}, undefined, { access: opened.access, onRecord: (record) => records.push(record) });
  return { ...opened, ...served, records };
}

const bearer = (key: string): Record<string, string> => ({ ...JSON_TYPE, ...ELSEWHERE, authorization: `Bearer ${key}` });
const chat = (url: string, key: string, extra: object = {}): Promise<Response> => post(url + CHAT, ask(extra), { headers: bearer(key) });

describe('who may enter', () => {
  it('whoever is at this machine, with any text for a key', async () => {
    const { url, host } = await keyed();
    for (const headers of [JSON_TYPE, { ...JSON_TYPE, authorization: 'Bearer none' }]) {
      expect((await post(url + CHAT, ask(), { headers })).status).toBe(200);
    }
    expect(host.requests[0]?.caller).toMatchObject({ tenant: 'local', keyId: null, priority: 'interactive', models: null });
  });

  it('from elsewhere whoever has a key, by either header; the record names tenant and key', async () => {
    const { url, host, access, records } = await keyed();
    const { key, secret } = await access.create(wish({ priority: 'batch' }));
    for (const headers of [bearer(secret), { ...JSON_TYPE, ...ELSEWHERE, 'x-api-key': secret }]) {
      const answer = await post(url + CHAT, ask(), { headers });
      expect(answer.status).toBe(200);
      await answer.text();
    }
    await until(() => records.length === 2);
    expect(records[0]).toMatchObject({ tenant: 'alice', key: key.id });
    expect(host.requests[0]?.caller).toMatchObject({ tenant: 'alice', keyId: key.id, priority: 'batch' });
    expect(host.requests[0]?.cache?.tenant).toBe('alice');
  });

  it('nobody without one, when told so, or when a proxy speaks for another machine', async () => {
    const strict = await keyed({}, true);
    const refused = await post(strict.url + CHAT, ask());
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect(await errorOf(refused)).toMatchObject({ status: 401, type: 'authentication_error', code: 'unauthorized' });
    const { url, host, records } = await keyed();
    for (const name of ['forwarded', 'x-forwarded-for', 'x-real-ip']) {
      expect(await errorOf(await post(url + CHAT, ask(), { headers: { ...JSON_TYPE, [name]: 'for=192.0.2.7' } }))).toMatchObject({
        status: 401,
      });
    }
    await until(() => records.length === 3);
    expect(records[0]).toMatchObject({ tenant: 'unknown', key: null, errorCode: 'unauthorized' });
    expect(host.requests).toEqual([]);
  });

  it('is judged before the body is read', async () => {
    const { port } = await keyed({}, true);
    const head = `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`;
    expect(await rawExchange(port, head)).toMatch(/^HTTP\/1\.1 401 [^]*connection: close[^]*"code":"unauthorized"/i);
  });

  it('finds out nothing of models, the console or metrics without a key', async () => {
    const { url } = await keyed({}, true);
    for (const path of ['/v1/models', '/api/status', '/api/keys', '/api/audit', '/metrics', '/api/%73tatus']) {
      const answer = await fetch(url + path);
      expect([path, [401, 404].includes(answer.status)]).toEqual([path, true]);
      expect(await answer.text()).not.toContain('fake');
    }
    expect(await (await fetch(`${url}/ready`)).json()).toEqual({ status: 'ready', models: [] });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await fetch(`${url}/`)).status).toBe(200);
  });

  it('counts a key out as soon as it is revoked', async () => {
    const { url, access } = await keyed();
    const { key, secret } = await access.create(wish());
    expect((await chat(url, secret)).status).toBe(200);
    await access.revoke(key.id);
    expect(await errorOf(await chat(url, secret))).toMatchObject({ status: 401, message: expect.stringContaining('revoked') });
  });
});

describe('what a key may do', () => {
  it('is to use its endpoints and models, and to see no others', async () => {
    const { url, access, host } = await keyed({ models: ['fake', 'other'] });
    const { secret } = await access.create(wish({ scopes: { endpoints: ['chat', 'models'], models: ['fake'] } }));
    expect((await chat(url, secret)).status).toBe(200);
    expect(await errorOf(await chat(url, secret, { model: 'other' }))).toMatchObject({
      status: 403,
      code: 'permission_denied',
      param: 'model',
    });
    expect(await errorOf(await post(`${url}/v1/completions`, { model: 'fake', prompt: 'a' }, { headers: bearer(secret) }))).toMatchObject({
      status: 403,
      code: 'permission_denied',
    });
    const list = (await (await fetch(`${url}/v1/models`, { headers: bearer(secret) })).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toEqual(['fake']);
    expect((await fetch(`${url}/v1/models/other`, { headers: bearer(secret) })).status).toBe(403);
    expect(host.requests).toHaveLength(1);
  });

  it('is not to steer the server, without the scope for it', async () => {
    const { url, access } = await keyed();
    const { secret: plain } = await access.create(wish());
    const { secret: admin } = await access.create(wish({ scopes: { admin: true } }));
    for (const path of ['/api/status', '/api/keys']) {
      expect(await errorOf(await fetch(url + path, { headers: bearer(plain) }))).toMatchObject({ status: 403, code: 'permission_denied' });
      expect((await fetch(url + path, { headers: bearer(admin) })).status).toBe(200);
    }
  });
});

describe('limits', () => {
  it('are told in OpenAI’s headers, and refuse with 429 by name', async () => {
    const { url, access, host, time } = await keyed();
    const { secret } = await access.create(wish({ limits: { requestsPerMinute: 2, tokensPerMinute: 10_000 } }));
    const first = await chat(url, secret);
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1');
    await first.text();
    await (await chat(url, secret)).text();
    const refused = await chat(url, secret);
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'rate_limit_exceeded', param: 'requestsPerMinute' });
    time.nowMs += 30_000;
    expect((await chat(url, secret)).status).toBe(200);
    expect(host.requests).toHaveLength(3);
  });

  it('count the tokens that were used, once that is known', async () => {
    const { url, access } = await keyed({ answer: () => 'x'.repeat(400) });
    const { secret } = await access.create(wish({ limits: { tokensPerMinute: 300 } }));
    await (await chat(url, secret)).text();
    await expect.poll(async () => (await chat(url, secret)).status).toBe(429);
  });

  it('hold the number of requests at once, and give the place back when a client vanishes', async () => {
    const { url, access, host } = await keyed({ stepMs: null });
    const { secret } = await access.create(wish({ limits: { concurrency: 1 } }));
    const gone = new AbortController();
    const running = post(url + CHAT, ask(), { headers: bearer(secret), signal: gone.signal }).catch(() => null);
    await until(() => host.openCount === 1);
    expect(await errorOf(await chat(url, secret))).toMatchObject({ status: 429, param: 'concurrency' });
    gone.abort();
    await running;
    await until(() => access.list()[0]?.use.running === 0);
    const next = chat(url, secret);
    await until(() => host.openCount === 1);
    while (host.openCount > 0) host.step();
    expect((await next).status).toBe(200);
  });

  it('tell the host of a budget that nears its end', async () => {
    const { url, access, host } = await keyed();
    const { key, secret } = await access.create(wish({ limits: { dailyUsd: 10, countsLocalCost: true } }));
    access.spent(key.id, { upstreamUsd: 0, localUsd: 9 });
    await (await chat(url, secret)).text();
    expect(host.requests[0]?.caller).toMatchObject({ upstreamUsdLeft: 1, isDegraded: true });
    access.spent(key.id, { upstreamUsd: 0, localUsd: 1 });
    const refused = await chat(url, secret);
    expect(refused.headers.get('retry-after')).toBe(String(12 * 3600));
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'insufficient_quota', param: 'dailyUsd' });
  });
});

describe('the console’s keys', () => {
  it('are made, shown once, rotated and revoked, and all of it is noted without secrets', async () => {
    const { url, access } = await keyed();
    const made = (await (await post(`${url}/api/keys`, { tenant: 'bob', limits: { requestsPerMinute: 5 } })).json()) as NewKey;
    expect(made.key).toMatchObject({ tenant: 'bob', state: 'active', limits: { requestsPerMinute: 5, concurrency: null } });
    const rotated = (await (await post(`${url}/api/keys/${made.key.id}/rotate`, { graceMs: 0 })).json()) as NewKey;
    expect((await chat(url, made.secret)).status).toBe(401);
    expect((await chat(url, rotated.secret)).status).toBe(200);
    const listed = await (await fetch(`${url}/api/keys`)).text();
    expect((JSON.parse(listed) as KeyRow[])[0]?.use).toMatchObject({ running: 0, todayUsd: 0 });
    expect(listed).not.toContain(rotated.secret.slice(14));
    expect((await fetch(`${url}/api/keys/${made.key.id}`, { method: 'DELETE', headers: JSON_TYPE })).status).toBe(200);
    expect(await errorOf(await fetch(`${url}/api/keys/zzzzzzzzzz`, { method: 'DELETE', headers: JSON_TYPE }))).toMatchObject({
      status: 404,
    });
    expect(await errorOf(await post(`${url}/api/keys`, { tenant: 'bob', priority: 'first' }))).toMatchObject({
      status: 400,
      param: 'priority',
    });
    const audit = (await (await fetch(`${url}/api/audit`)).json()) as AuditEntry[];
    expect(audit.map(({ action, subject, status }) => [action, subject, status]).reverse()).toEqual([
      ['POST /api/keys', null, 201],
      ['POST /api/keys/:id/rotate', made.key.id, 200],
      ['DELETE /api/keys/:id', made.key.id, 200],
      ['DELETE /api/keys/:id', 'zzzzzzzzzz', 404],
      ['POST /api/keys', null, 400],
    ]);
    expect(JSON.stringify(await access.audit.last(100))).not.toContain('mr_');
  });

  it('come to a new device by a code', async () => {
    const { url } = await keyed();
    const { code } = (await (await post(`${url}/api/pairing`, { tenant: 'phone' })).json()) as PairingCode;
    const claim = (text: string): Promise<Response> => post(`${url}/api/pair`, { code: text }, { headers: { ...JSON_TYPE, ...ELSEWHERE } });
    const { secret } = (await (await claim(code)).json()) as NewKey;
    expect((await chat(url, secret)).status).toBe(200);
    expect(await errorOf(await claim(code))).toMatchObject({ status: 403, code: 'pairing_refused' });
    expect(await errorOf(await post(`${url}/api/pairing`, { tenant: 'x' }, { headers: { ...JSON_TYPE, ...ELSEWHERE } }))).toMatchObject({
      status: 401,
    });
  });
});

describe('a page from elsewhere', () => {
  it('signs in with a key, by a cookie that scripts and other sites do not get', async () => {
    const { url, access } = await keyed();
    const { key, secret } = await access.create(wish({ scopes: { admin: true } }));
    const who = async (headers: Record<string, string>): Promise<SessionInfo> =>
      (await (await fetch(`${url}/api/session`, { headers: { ...ELSEWHERE, ...headers } })).json()) as SessionInfo;
    expect(await who({})).toEqual({ tenant: null, keyId: null, admin: false });
    const wrong = await post(`${url}/api/session`, { key: 'none' }, { headers: { ...JSON_TYPE, ...ELSEWHERE } });
    expect(await errorOf(wrong)).toMatchObject({ status: 401, param: 'key' });
    const entered = await post(`${url}/api/session`, { key: secret }, { headers: { ...JSON_TYPE, ...ELSEWHERE } });
    const cookie = entered.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^millrace_session=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(secret.slice(14));
    const session = { cookie: `other=1; ${cookie.split(';')[0] ?? ''}` };
    expect(await who(session)).toEqual({ tenant: 'alice', keyId: key.id, admin: true });
    expect((await fetch(`${url}/api/keys`, { headers: { ...ELSEWHERE, ...session } })).status).toBe(200);
    const foreign = { ...ELSEWHERE, ...session, origin: 'https://evil.example' };
    expect((await fetch(`${url}/api/keys`, { headers: foreign })).status).toBe(403);
    await access.revoke(key.id);
    expect((await fetch(`${url}/api/keys`, { headers: { ...ELSEWHERE, ...session } })).status).toBe(401);
  });
});

describe('a key', () => {
  it('is in no line of the log, whatever happens to its request', async () => {
    const { access } = await openedAccess();
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const host = new FakeHost();
    const gateway = await createGateway({ host, access, log, config: { host: '127.0.0.1', port: 0, version: '1' } });
    const { url } = await gateway.listen();
    const { secret } = await access.create(wish({ limits: { requestsPerMinute: 2 } }));
    await chat(url, secret);
    host.generate = () => {
      throw new Error('A fault of the host.');
    };
    expect((await chat(url, secret)).status).toBe(500);
    expect((await chat(url, secret)).status).toBe(429);
    expect((await chat(url, `${secret.slice(0, -1)}!`)).status).toBe(401);
    expect(await (await fetch(`${url}/openapi.json`, { headers: bearer(secret) })).text()).not.toContain(secret);
    await gateway.close({ drainMs: 0 });
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('')).not.toContain(secret.slice(14, -2));
  });
});
