import { request } from 'node:https';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { Lan } from '../../../engine/access/lan/lan.ts';
import type { Announcement } from '../../../engine/access/lan/announce.ts';
import type { LanStatus } from '../../../engine/contract.ts';
import { ask, errorOf, post, serving } from '../../gateway/serving.ts';
import { openedAccess, wish } from '../opened.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const open: Lan[] = [];
afterEach(async () => {
  for (const lan of open.splice(0)) await lan.close();
});

/** A gateway with the switch, as the engine wires it; on the loopback address in place of all. */
async function switched() {
  const opened = await openedAccess({ requireKey: true });
  const announced: (Announcement | null)[] = [];
  const served = await serving({}, {}, undefined, { access: opened.access, lan: () => lan });
  const lan = new Lan({
    dataDir: opened.dataDir,
    log: pino({ level: 'silent' }),
    systemName: 'Box',
    version: '1.2.3',
    host: '127.0.0.1',
    port: 0,
    listen: (address, certified) => served.gateway.listenTls(address, certified),
    announce: async (announcement) => {
      announced.push(announcement);
      return async () => void announced.push(null);
    },
    hasUsableKey: () => opened.access.hasUsableKey,
    now: Date.now,
  });
  open.push(lan);
  return { ...opened, ...served, lan, announced };
}

interface TlsAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** A request by TLS, checked against the authority. */
function tlsCall(
  lan: Lan,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<TlsAnswer> {
  const { port } = new URL(lan.status.url ?? '');
  const { method = 'GET', headers = {}, body } = options;
  const ca = lan.authorityCertificate ?? '';
  return new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      ca,
      servername: 'millrace-box.local',
      agent: false,
      headers: { host: `millrace-box.local:${port}`, ...headers },
    });
    asked.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe('the LAN switch', () => {
  it('takes a key first, and says how to make one', async () => {
    const { lan, announced } = await switched();
    await expect(lan.turn(true)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('millrace key create'),
    });
    expect(lan.status.enabled).toBe(false);
    expect(lan.isWanted).toBe(false);
    expect(announced).toEqual([]);
  });

  it('lets other machines in by TLS and with a key, streams included, and announces where', async () => {
    const { lan, access, announced, host } = await switched();
    const { secret } = await access.create(wish());
    const status = await lan.turn(true);
    expect(status).toMatchObject({
      enabled: true,
      name: 'millrace-box.local',
      fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
    });
    expect(status.url).toMatch(/^https:\/\/millrace-box\.local:\d+$/);
    expect(announced).toEqual([
      { title: 'Millrace on box', name: 'millrace-box', port: Number(new URL(status.url ?? '').port), version: '1.2.3' },
    ]);
    expect((await tlsCall(lan, '/v1/models')).status).toBe(401);
    const headers = { ...JSON_TYPE, authorization: `Bearer ${secret}` };
    const whole = await tlsCall(lan, '/v1/chat/completions', { method: 'POST', headers, body: ask() });
    expect(whole.status).toBe(200);
    const stream = await tlsCall(lan, '/v1/chat/completions', { method: 'POST', headers, body: ask({ stream: true }) });
    expect(stream.text).toContain('data: [DONE]');
    expect(host.requests.map(({ caller }) => caller?.tenant)).toEqual(['alice', 'alice']);
  });

  it('shows the certificate to whoever comes, with the fingerprint to compare', async () => {
    const { lan, access, url } = await switched();
    expect(await errorOf(await fetch(`${url}/ca`))).toMatchObject({ status: 404 });
    await access.create(wish());
    const { fingerprint } = await lan.turn(true);
    const page = await tlsCall(lan, '/ca');
    expect(page.status).toBe(200);
    expect(page.text).toContain(fingerprint ?? 'none');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect((await tlsCall(lan, '/ca.crt')).text).toBe(lan.authorityCertificate);
  });

  it('takes its own names and addresses for hosts, and no others', async () => {
    const { lan, access } = await switched();
    const { secret } = await access.create(wish());
    await lan.turn(true);
    const status = async (host: string): Promise<number> =>
      (await tlsCall(lan, '/v1/models', { headers: { host, authorization: `Bearer ${secret}` } })).status;
    for (const host of ['millrace-box.local', 'box.local:1', 'box', '192.0.2.1', '[fd00::1]:2'])
      expect([host, await status(host)]).toEqual([host, 200]);
    for (const host of ['evil.example', 'millrace-box.local.evil.example']) expect([host, await status(host)]).toEqual([host, 403]);
    await lan.turn(false);
    expect(lan.hostNames).toEqual([]);
  });

  it('gives a page’s session a cookie for TLS alone, and takes its own origin', async () => {
    const { lan, access } = await switched();
    const { secret } = await access.create(wish({ scopes: { admin: true } }));
    const { url } = await lan.turn(true);
    const entered = await tlsCall(lan, '/api/session', {
      method: 'POST',
      headers: { ...JSON_TYPE, origin: url ?? '' },
      body: { key: secret },
    });
    expect(String(entered.headers['set-cookie'])).toMatch(/; SameSite=Strict; Secure$/);
    const plainOrigin = { origin: (url ?? '').replace('https', 'http') };
    expect((await tlsCall(lan, '/api/session', { headers: plainOrigin })).status).toBe(403);
  });

  it('is turned from the console, remembered, and ends what it began', async () => {
    const { lan, access, url, announced } = await switched();
    const { secret } = await access.create(wish({ scopes: { admin: true } }));
    const put = async (enabled: boolean): Promise<LanStatus> => {
      const init = { method: 'PUT', headers: { ...JSON_TYPE, authorization: `Bearer ${secret}` } };
      return (await (await post(`${url}/api/lan`, { enabled }, init)).json()) as LanStatus;
    };
    const on = await put(true);
    expect(on.enabled).toBe(true);
    expect(lan.isWanted).toBe(true);
    expect(await put(true)).toEqual(on);
    expect(await put(false)).toMatchObject({ enabled: false, url: null, fingerprint: null });
    expect(lan.isWanted).toBe(false);
    expect(announced.at(-1)).toBeNull();
    await expect(fetch(on.url?.replace('millrace-box.local', '127.0.0.1') ?? '')).rejects.toThrow();
  });

  it('works where the network takes no announcement', async () => {
    const { access, gateway, dataDir } = await switched();
    await access.create(wish());
    const quiet = new Lan({
      dataDir,
      log: pino({ level: 'silent' }),
      systemName: 'box',
      version: '1',
      host: '127.0.0.1',
      port: 0,
      listen: (address, certified) => gateway.listenTls(address, certified),
      announce: () => Promise.reject(new Error('no multicast')),
      hasUsableKey: () => true,
      now: Date.now,
    });
    open.push(quiet);
    expect((await quiet.start()).enabled).toBe(true);
    expect(quiet.isWanted).toBe(false);
  });
});
