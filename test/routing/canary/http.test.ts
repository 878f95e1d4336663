// The canary over HTTP: started through the gate, answering with its header, stopped.
import { describe, expect, it } from 'vitest';
import type { CanaryNow } from '../../../engine/contract.ts';
import { FakeHosts } from '../../fakes/hosts.ts';
import { serveRouting } from '../served-routing.ts';

async function opened() {
  const hosts = new FakeHosts({ fake: { answer: () => 'old' }, 'fake:fp32': { answer: () => 'new' } });
  const { url } = await serveRouting(hosts);
  const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> => {
    const headers = method === 'GET' ? {} : { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return { status: response.status, json: await response.json() };
  };
  return { call };
}

const PATH = '/api/models/fake/canary';

describe('the canary over HTTP', () => {
  it('starts, answers its share, and is stopped by hand', async () => {
    const { call } = await opened();
    expect((await call('GET', PATH)).json).toEqual({ running: null, ended: [] });
    const started = await call('POST', PATH, { variant: 'fp32', share: 0.9 });
    expect(started.status).toBe(200);
    expect(started.json).toMatchObject({ running: { share: 0.9, canary: { variant: 'fp32' }, baseline: { variant: 'int8' } } });
    const texts: unknown[] = [];
    for (let at = 0; at < 12; at++) {
      const messages = [{ role: 'user', content: `question ${at}` }];
      const { json } = await call('POST', '/v1/chat/completions', { model: 'fake', messages });
      texts.push((json as { choices: { message: { content: string } }[] }).choices[0]?.message.content);
    }
    const { running } = (await call('GET', PATH)).json as CanaryNow;
    expect(running?.canary.requests).toBe(texts.filter((text) => text === 'new').length);
    expect(running?.canary.requests).toBeGreaterThan(0);
    expect((await call('DELETE', PATH)).json).toMatchObject({ running: null, ended: [{ verdict: { kind: 'stopped' } }] });
  });

  it('refuses what loses too much, what is not there, and a second one', async () => {
    const { call } = await opened();
    const refused = await call('POST', PATH, { variant: 'int4' });
    expect([refused.status, refused.json]).toEqual([409, { error: expect.objectContaining({ code: 'quality_below_bar' }) as object }]);
    expect((await call('POST', PATH, { variant: 'int3' })).status).toBe(404);
    expect((await call('POST', PATH, { variant: 'int8' })).status).toBe(400);
    await call('POST', PATH, { variant: 'fp32' });
    expect((await call('POST', PATH, { variant: 'fp32' })).status).toBe(400);
    expect((await call('POST', '/api/models/nobody/canary', { variant: 'fp32' })).status).toBe(404);
    expect((await call('POST', PATH, { variant: 'fp32', share: 2 })).status).toBe(400);
  });
});
