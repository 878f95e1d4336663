import { describe, expect, it } from 'vitest';
import type { GenerateEvent, GrammarSpec } from '../../../engine/runner/protocol.ts';
import { PROMPT_TOKENS } from '../../fakes/upstream.ts';
import { answer, chat } from '../routing.ts';
import { upstreams } from './upstreams.ts';

const USD = (PROMPT_TOKENS * 1_000 + 2 * 2_000) / 1e6;

describe.each(['openai', 'anthropic'] as const)('an upstream of the API of %s', (api) => {
  it('answers as a model of this host does, at its price', async () => {
    const { host } = await upstreams({ api });
    let usd = 0;
    const { events, text } = await answer(host, chat('up/strong', 'hi', { onUpstreamUsd: (spent) => (usd += spent) }));
    expect(text).toBe('Hello');
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'text', 'text', 'finish', 'done']);
    expect(events.at(-1)).toMatchObject({ usage: { promptTokens: PROMPT_TOKENS, completionTokens: 2 } });
    expect(usd).toBeCloseTo(USD);
  });

  it('ends in a typed error when it is cut in the middle, and the part is charged', async () => {
    const { host } = await upstreams({ api, pieces: ['a', 'b', 'c'], faults: [{ kind: 'cut', after: 1 }] });
    let usd = 0;
    const { events, text } = await answer(host, chat('up/strong', 'hi', { onUpstreamUsd: (spent) => (usd += spent) }));
    expect(text).toBe('a');
    expect(events.at(-1)).toMatchObject({ kind: 'error', error: { code: 'upstream_failed' } });
    expect(usd).toBeGreaterThan(0);
  });

  it.each(['garbage', 'error'] as const)('ends in a typed error on %s', async (kind) => {
    const { host } = await upstreams({ api, faults: [{ kind, after: 1 }] });
    const { events } = await answer(host, chat('up/strong', 'hi'));
    expect(events.at(-1)).toMatchObject({ kind: 'error', error: { code: 'upstream_failed' } });
  });

  it('is asked once more when it fails before the answer, and not when it says when to come back', async () => {
    const flaky = await upstreams({ api, faults: [{ kind: 'status', status: 500 }, null] });
    expect((await answer(flaky.host, chat('up/strong', 'hi'))).text).toBe('Hello');
    const busy = await upstreams({ api, faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '17' } }] });
    const { events } = await answer(busy.host, chat('up/strong', 'hi'));
    expect(events).toMatchObject([{ kind: 'error', error: { code: 'upstream_failed', retryAfterSeconds: 17 } }]);
    expect(busy.server.requests).toHaveLength(1);
  });

  it('is left when the client goes, and what was said is charged', async () => {
    const { host, server } = await upstreams({ api, faults: [{ kind: 'hang', after: 1 }] });
    const { promise, resolve } = Promise.withResolvers<void>();
    let usd = 0;
    const kinds: GenerateEvent['kind'][] = [];
    const request = chat('up/strong', 'hi', { onUpstreamUsd: (spent) => (usd += spent), onSettled: resolve });
    const generation = host.generate(request, (event) => {
      kinds.push(event.kind);
      if (event.kind === 'text') generation.cancel();
    });
    await promise;
    expect(kinds).toEqual(['started', 'text']);
    expect(usd).toBeGreaterThan(0);
    await expect.poll(() => server.abandoned).toBe(1);
  });

  it('never gets the key of another, nor shows its own', async () => {
    const { host, server } = await upstreams({
      api,
      faults: [{ kind: 'status', status: 401, body: { error: { message: 'wrong key sk-secret' } } }],
    });
    const { events } = await answer(host, chat('up/strong', 'hi'));
    const header = api === 'openai' ? 'authorization' : 'x-api-key';
    expect(server.requests[0]?.headers[header]).toContain('sk-secret');
    expect(JSON.stringify(events)).not.toContain('sk-secret');
  });

  it('does not follow redirects', async () => {
    const target = await upstreams({ api });
    const { host } = await upstreams({
      api,
      faults: [{ kind: 'status', status: 307, headers: { location: `${target.server.baseUrl}/messages` } }],
    });
    const { events } = await answer(host, chat('up/strong', 'hi'));
    expect(events).toMatchObject([{ kind: 'error', error: { code: 'upstream_failed' } }]);
    expect(target.server.requests).toHaveLength(0);
  });

  it('charges the text that came where the usage is missing', async () => {
    const { host } = await upstreams({ api, pieces: ['abcdefgh', 'ijklmnop'], faults: [{ kind: 'no_usage' }] });
    const { events } = await answer(host, chat('up/strong', 'hi'));
    expect(events.at(-1)).toMatchObject({ kind: 'done', usage: { completionTokens: 4 } });
  });
});

describe('UpstreamHost', () => {
  it('sends nothing for callers whose prompts stay here', async () => {
    const caller = { tenant: 'a', keyId: 'k', priority: 'normal', models: null, upstreamUsdLeft: null, isDegraded: false } as const;
    const codes = async (settings: object, who = caller): Promise<unknown> => {
      const { host, server } = await upstreams({ api: 'openai' }, settings);
      const { events } = await answer(host, chat('up/strong', 'hi', { caller: who }));
      const last = events.at(-1);
      return [last?.kind === 'error' ? last.error.code : last?.kind, server.requests.length];
    };
    expect(await codes({ upstreamFor: 'nobody' })).toEqual(['permission_denied', 0]);
    expect(await codes({ upstreamFor: 'listed', upstreamTenants: ['b'] })).toEqual(['permission_denied', 0]);
    expect(await codes({ upstreamFor: 'listed', upstreamTenants: ['a'] })).toEqual(['done', 1]);
    expect(await codes({}, { ...caller, upstreamUsdLeft: 0.01 } as never)).toEqual(['insufficient_quota', 0]);
  });

  it('never passes the cap of the month, however many ask at once and however they end', async () => {
    const faults = [null, { kind: 'cut', after: 1 }, { kind: 'no_usage' }] as const;
    const { host, server, spending } = await upstreams({ api: 'openai', faults }, { upstreamMonthlyUsd: 1 });
    const ends = await Promise.all(Array.from({ length: 12 }, () => answer(host, chat('up/strong', 'hi'))));
    const codes = ends.map(({ events }) => events.at(-1)).map((last) => (last?.kind === 'error' ? last.error.code : last?.kind));
    expect(codes).toContain('insufficient_quota');
    expect(server.requests.length).toBeLessThan(12);
    expect(spending.usd).toBeLessThanOrEqual(1);
  });

  it('passes JSON formats on where the API has a word for them, and refuses other grammars by name', async () => {
    const plain = chat('up/strong', 'hi');
    const under = (grammar: GrammarSpec) => ({ ...plain, params: { ...plain.params, grammar } });
    const schema = { type: 'object' };
    const json = under({ kind: 'json_schema', field: 'response_format', schema, strict: true });
    const openai = await upstreams({ api: 'openai' });
    await answer(openai.host, json);
    expect(openai.server.requests[0]?.body).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { schema, strict: true } },
    });
    const regex = await answer(openai.host, under({ kind: 'regex', field: 'guided_regex', pattern: 'a' }));
    const anthropic = await upstreams({ api: 'anthropic' });
    const foreign = await answer(anthropic.host, json);
    expect([regex, foreign].map(({ events }) => events)).toMatchObject([
      [{ kind: 'error', error: { code: 'unsupported_parameter', param: 'guided_regex' } }],
      [{ kind: 'error', error: { code: 'unsupported_parameter', param: 'response_format' } }],
    ]);
    expect(openai.server.requests.length + anthropic.server.requests.length).toBe(1);
  });

  it('translates system messages and sampling', async () => {
    const anthropic = await upstreams({ api: 'anthropic' });
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
    ];
    const request = chat('up/strong', '', { prompt: { kind: 'chat', messages, tools: null, templateOptions: {} } });
    await answer(anthropic.host, request);
    expect(anthropic.server.requests[0]).toMatchObject({
      path: '/v1/messages',
      headers: { 'anthropic-version': '2023-06-01' },
      body: {
        model: 'strong',
        max_tokens: 64,
        system: 'Be brief.',
        messages: [{ role: 'user', content: 'hi' }],
        stream: true,
        temperature: 0,
      },
    });
    const openai = await upstreams({ api: 'openai' });
    const two = await answer(openai.host, { ...request, params: { ...request.params, n: 2, stop: ['.'] } });
    expect(openai.server.requests[0]?.body).toMatchObject({ messages, n: 2, stop: ['.'], stream_options: { include_usage: true } });
    expect(two.events.filter(({ kind }) => kind === 'finish')).toHaveLength(2);
  });
});
