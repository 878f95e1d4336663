import { describe, expect, it, onTestFinished } from 'vitest';
import type { RouteDecision, RouterNow, RoutingSettings, WhatIfAnswer } from '../../engine/contract.ts';
import { DEFAULT_SETTINGS } from '../../engine/ledger/settings/defaults.ts';
import { FakeHosts } from '../fakes/hosts.ts';
import { fakeUpstream, type FakeUpstream } from '../fakes/upstream.ts';
import { errorOf, post } from '../gateway/serving.ts';
import { PRICE, upstreamOf } from './upstream/upstreams.ts';
import { serveRouting } from './served-routing.ts';

/** Two models of this machine behind the whole of routing, and its console. */
async function opened(settings: Partial<RoutingSettings> = {}) {
  const hosts = new FakeHosts({ small: { answer: () => 's', stepDeviceMs: 1 }, large: { answer: () => 'l', stepDeviceMs: 20 } });
  const { url, routing } = await serveRouting(hosts);
  const { cost } = DEFAULT_SETTINGS;
  const prices = { ...cost, upstreamPrices: [...cost.upstreamPrices, PRICE] };
  routing.applySettings({ ...DEFAULT_SETTINGS, cost: prices, routing: { ...DEFAULT_SETTINGS.routing, ...settings } });
  const chat = (model: string, content = 'hello', id = 'req-1'): Promise<Response> => {
    const body = { model, messages: [{ role: 'user', content }], temperature: 0 };
    return post(`${url}/v1/chat/completions`, body, { headers: { 'content-type': 'application/json', 'x-request-id': id } });
  };
  const read = async <T>(path: string): Promise<T> => (await (await fetch(url + path)).json()) as T;
  return { url, hosts, chat, read, control: routing.control };
}

async function upstream(): Promise<FakeUpstream> {
  const server = await fakeUpstream({ api: 'openai' });
  onTestFinished(() => server.close());
  return server;
}

describe('the console of the router', () => {
  it('shows targets, and of each decision why, with the numbers of the others', async () => {
    const { chat, read } = await opened();
    await (await chat('auto')).text();
    const now = await read<RouterNow>('/api/router');
    expect(now.targets.map(({ target, tier, circuit }) => [target, tier, circuit])).toEqual([
      ['small', 'fast', 'closed'],
      ['large', 'premium', 'closed'],
    ]);
    const decision = await read<RouteDecision>('/api/router/decisions/req-1');
    expect(now.decisions[0]).toEqual(decision);
    expect(decision).toMatchObject({ modelAsked: 'auto', target: 'small', attempts: [{ target: 'small', outcome: 'answered' }] });
    expect(decision.alternatives.map(({ target }) => target)).toEqual(['small', 'large']);
    expect(decision.complexity).toBeGreaterThan(0);
  });

  it('answers 404 for a request that named its model', async () => {
    const { url, chat } = await opened();
    await (await chat('small')).text();
    expect(await errorOf(await fetch(`${url}/api/router/decisions/req-1`))).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('replays the past under another policy', async () => {
    const { url, chat } = await opened();
    for (let at = 0; at < 5; at += 1) await (await chat('auto', 'hello', `req-${at}`)).text();
    const answer = (await (await post(`${url}/api/router/what-if`, { qualityBar: 1, latencyGoalMs: null })).json()) as WhatIfAnswer;
    expect(answer).toMatchObject({ requests: 5, asWas: { byTier: { fast: 5 } }, asAsked: { byTier: { premium: 5 } } });
  });

  it('takes feedback, and shows it as measured quality once there is enough', async () => {
    const { url, chat, read } = await opened();
    expect(await errorOf(await post(`${url}/v1/feedback`, { request_id: 'req-9', score: 1 }))).toMatchObject({ status: 404 });
    for (let at = 0; at < 6; at += 1) {
      await (await chat('auto', `hello ${at}`, `req-${at}`)).text();
      const response = await post(`${url}/v1/feedback`, { request_id: `req-${at}`, score: at === 0 ? 0 : 1 });
      expect(await response.json()).toEqual({ object: 'feedback', request_id: `req-${at}`, score: at === 0 ? 0 : 1 });
    }
    const { targets, quality } = await read<RouterNow>('/api/router');
    expect(targets[0]).toMatchObject({ quality: { kind: 'measured', graded: 6 }, perQualityAdjustedUsd: { usd: expect.any(Number) } });
    expect(quality).toMatchObject({ kind: 'measured' });
    expect(await errorOf(await post(`${url}/v1/feedback`, { request_id: 'req-1', score: 2 }))).toMatchObject({ status: 400 });
  });

  it('keeps the key of an upstream and never shows it', async () => {
    const server = await upstream();
    const { url, chat, read, hosts } = await opened({ upstreams: [upstreamOf(server.baseUrl, 'openai')], upstreamFor: 'everybody' });
    const put = (name: string, key: string | null): Promise<Response> =>
      fetch(`${url}/api/router/upstreams/${name}/key`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key }),
      });
    expect(await (await put('up', 'sk-hidden')).json()).toEqual({ name: 'up', hasKey: true });
    expect(await errorOf(await put('other', 'sk-hidden'))).toMatchObject({ status: 404 });
    const response = await chat('auto:premium');
    expect(response.headers.get('x-millrace-model')).toBe('up/strong');
    await response.text();
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sk-hidden');
    const now = await read<RouterNow>('/api/router');
    expect(now.upstreams).toEqual([{ name: 'up', hasKey: true }]);
    expect(now.upstreamUsd).toBeGreaterThan(0);
    expect(JSON.stringify(now)).not.toContain('sk-hidden');
    expect(hosts.of('large').requests).toHaveLength(0);
  });

  it('falls back to this machine while the upstream is dead, and pays nothing', async () => {
    const server = await upstream();
    await server.close();
    const { chat, read } = await opened({ upstreams: [upstreamOf(server.baseUrl, 'openai')], upstreamFor: 'everybody' });
    const response = await chat('auto:premium');
    expect([response.status, response.headers.get('x-millrace-model'), response.headers.get('x-millrace-degraded')]).toEqual([
      200,
      'large',
      'true',
    ]);
    expect((await read<RouterNow>('/api/router')).upstreamUsd).toBe(0);
  });

  it('states an alert for a target whose answers are too bad, beside a banner', async () => {
    const { url, chat, control } = await opened();
    for (let at = 0; at < 25; at += 1) {
      await (await chat('auto', 'hello', `req-${at}`)).text();
      await post(`${url}/v1/feedback`, { request_id: `req-${at}`, score: 0 });
    }
    const [alert, ...others] = control.alerts();
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ ruleId: 'route-barred', subject: 'small' });
    expect(alert?.sentence).toContain('small is no longer routed to: its measured quality 0.00');
    expect(alert?.value).toBeGreaterThan(alert?.threshold ?? 1);
    expect(control.banners().map(({ id }) => id)).toEqual(['route-small']);
    expect((await chat('auto', 'hello', 'req-after')).headers.get('x-millrace-model')).toBe('large');
  });
});

describe('a second Millrace as an upstream', () => {
  it('answers, and its model is the premium one', async () => {
    const second = await opened({ aliases: [{ name: 'strong', target: 'large' }] });
    const first = await opened({ upstreams: [upstreamOf(`${second.url}/v1`, 'openai')], upstreamFor: 'everybody' });
    const response = await first.chat('auto:premium');
    expect(response.headers.get('x-millrace-model')).toBe('up/strong');
    const body = (await response.json()) as { choices: { message: { content: string } }[]; usage: { completion_tokens: number } };
    expect([body.choices[0]?.message.content, body.usage.completion_tokens]).toEqual(['l', 1]);
    expect(second.hosts.of('large').requests).toHaveLength(1);
  });
});
