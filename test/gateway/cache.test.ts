// Caches over HTTP: what the header and the usage say, streams, and what a client asks of them by Cache-Control.
import { request as httpRequest } from 'node:http';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { CacheSettings } from '../../engine/contract.ts';
import { cacheControlOf } from '../../engine/gateway/cache-use.ts';
import { CachedHost } from '../../engine/routing/cache/cached-host.ts';
import { ON } from '../routing/cache/caching.ts';
import { type FakeHostOptions, fakeEmbedding } from '../fakes/host.ts';
import { ask, eventsOf, post, serving, until } from './serving.ts';

const ANSWER = 'A fine answer.';

const start = (settings: Partial<CacheSettings> = {}, options: FakeHostOptions = {}) =>
  serving({ answer: () => ANSWER, encoders: { emb: fakeEmbedding }, ...options }, {}, (host) => {
    const cache = new CachedHost({ host, path: null, log: pino({ level: 'silent' }) });
    cache.applySettings({ ...ON, ...settings });
    return cache;
  });

const HEADER = 'x-millrace-cache';
const greedy = (extra: object = {}) => ask({ temperature: 0, ...extra });
const withControl = (value: string): RequestInit => ({ headers: { 'content-type': 'application/json', 'cache-control': value } });

async function textOf(response: Response): Promise<string> {
  const chunks = (await eventsOf(response)).filter((data) => data !== '[DONE]').map((data) => JSON.parse(data));
  return chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
}

describe('x-millrace-cache', () => {
  it('gives an answer again, whole or as a stream, whatever the fields that do not change it', async () => {
    const { url, host } = await start();
    const chat = `${url}/v1/chat/completions`;
    const first = await post(chat, greedy({ user: 'a' }));
    const second = await post(chat, { temperature: 0, n: 1, metadata: { a: '1' }, top_p: 1, ...ask() });
    const streamed = await post(chat, greedy({ stream: true, stream_options: { include_usage: true } }));
    expect([first, second, streamed].map(({ headers }) => headers.get(HEADER))).toEqual(['miss', 'hit', 'hit']);
    const [one, two] = [await first.json(), await second.json()];
    expect(two.choices).toEqual(one.choices);
    expect(two.id).not.toBe(one.id);
    expect(one.usage).toMatchObject({ prompt_tokens_details: { cached_tokens: 0 } });
    expect(two.usage).toEqual({ ...one.usage, prompt_tokens_details: { cached_tokens: one.usage.prompt_tokens, audio_tokens: 0 } });
    expect(await textOf(streamed)).toBe(ANSWER);
    expect(host.requests).toHaveLength(1);
  });

  it('says bypass where answers are drawn at random', async () => {
    const { url, host } = await start();
    for (let round = 0; round < 2; round++) expect((await post(`${url}/v1/chat/completions`, ask())).headers.get(HEADER)).toBe('bypass');
    expect(host.requests).toHaveLength(2);
  });

  it('answers completions of several prompts from the cache only where all of them are there', async () => {
    const { url, host } = await start({}, { answer: (prompt) => prompt.toUpperCase() });
    const ask = async (prompt: readonly string[]) => {
      const response = await post(`${url}/v1/completions`, { model: 'fake', prompt, temperature: 0 });
      const { choices } = await response.json();
      return [response.headers.get(HEADER), choices.map(({ text }: { text: string }) => text)];
    };
    expect(await ask(['a', 'b'])).toEqual(['miss', ['A', 'B']]);
    expect(await ask(['b', 'c'])).toEqual(['miss', ['B', 'C']]);
    expect(await ask(['c', 'a'])).toEqual(['hit', ['C', 'A']]);
    expect(host.requests).toHaveLength(3);
  });

  it('tells embeddings that were computed earlier, in the header and in the usage', async () => {
    const { url, host } = await start();
    const embed = (body: object, init: RequestInit = {}) => post(`${url}/v1/embeddings`, { model: 'emb', ...body }, init);
    const first = await embed({ input: ['hello', 'you'] });
    const second = await embed({ input: 'hello', encoding_format: 'base64' });
    expect([first, second].map(({ headers }) => headers.get(HEADER))).toEqual(['miss', 'hit']);
    expect((await first.json()).usage).toEqual({ prompt_tokens: 8, total_tokens: 8, prompt_tokens_details: { cached_tokens: 0 } });
    expect((await second.json()).usage).toEqual({ prompt_tokens: 5, total_tokens: 5, prompt_tokens_details: { cached_tokens: 5 } });
    expect((await embed({ input: 'hello' }, withControl('no-cache'))).headers.get(HEADER)).toBe('miss');
    expect((await embed({ input: 'hello' }, withControl('no-store'))).headers.get(HEADER)).toBe('bypass');
    expect(host.encodeRequests).toHaveLength(3);
  });

  it('computes what two clients ask at the same time once, and goes on when the first of them leaves', async () => {
    const { url, host } = await start({}, { stepMs: null });
    const body = JSON.stringify(greedy({ stream: true }));
    const first = httpRequest(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' } });
    first.on('error', () => undefined).end(body);
    await until(() => host.openCount === 1);
    host.step();
    const second = post(`${url}/v1/chat/completions`, greedy({ stream: true }));
    const answer = await second;
    expect(answer.headers.get(HEADER)).toBe('coalesced');
    first.destroy();
    const text = textOf(answer);
    while (host.openCount > 0) {
      host.step();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await text).toBe(ANSWER);
    expect([host.requests.length, host.cancelled]).toEqual([1, 0]);
  });

  it('says how similar the question was whose answer is given again', async () => {
    const { url, host } = await start({ semanticSimilarity: 0.99, semanticModel: 'emb' });
    const chat = (content: string) => post(`${url}/v1/chat/completions`, { model: 'fake', messages: [{ role: 'user', content }] });
    expect((await chat('hello')).headers.get(HEADER)).toBe('miss');
    const again = await chat('hello');
    expect(again.headers.get(HEADER)).toBe('semantic; similarity=1.0000');
    expect((await again.json()).choices[0].message.content).toBe(ANSWER);
    expect(host.requests).toHaveLength(1);
  });
});

it('reads Cache-Control as its standard says', () => {
  const cases = [
    [undefined, 'use'],
    ['max-age=60', 'use'],
    ['No-Cache', 'refresh'],
    ['max-age=0', 'refresh'],
    ['no-cache, no-store', 'off'],
    ['x-no-store', 'use'],
  ] as const;
  for (const [header, control] of cases) expect(cacheControlOf(header), header).toBe(control);
});
