// `/v1/embeddings` over a fake host: every form of input, both formats, refusals that name the input, and clients that leave.
import { request as httpRequest } from 'node:http';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.ts';
import { embeddingList } from '../../engine/gateway/routes/response-schemas.ts';
import { FAKE_WIDTH, fakeEmbedding, fakeRow, type FakeHostOptions } from '../fakes/host.ts';
import { ask, errorOf, post, serving, until } from './serving.ts';

const start = (options: FakeHostOptions = {}) =>
  serving({
    encoders: {
      emb: fakeEmbedding,
      cut: { ...fakeEmbedding, matryoshka: [3, 2] },
      sided: { ...fakeEmbedding, prompts: { query: 'Q: ', passage: 'P: ' }, defaultPrompt: 'query' },
    },
    ...options,
  });

const embed = (url: string, body: object, init: RequestInit = {}) => post(`${url}/v1/embeddings`, { model: 'emb', ...body }, init);

describe('embeddings', () => {
  it('answers a text, several, token ids of one and of several, in order and with usage', async () => {
    const { url } = await start();
    const inputs = [
      ['hello', 1],
      [['hello', 'hi'], 2],
      [[1, 2, 3], 1],
      [[[1, 2], [3]], 2],
    ] as const;
    for (const [input, count] of inputs) {
      const response = await embed(url, { input });
      expect(response.status).toBe(200);
      const body = await response.json();
      expect(Value.Check(embeddingList, body)).toBe(true);
      expect(body.data.map(({ index }: { index: number }) => index)).toEqual(count === 1 ? [0] : [0, 1]);
    }
    const { data, usage } = await (await embed(url, { input: ['hello', 'hi'], user: 'me', dimensions: FAKE_WIDTH })).json();
    expect(data[1].embedding).toEqual([...fakeRow({ kind: 'text', text: 'hi' })]);
    expect(usage).toEqual({ prompt_tokens: 7, total_tokens: 7 });
  });

  it('gives the same numbers as base64', async () => {
    const { url } = await start();
    const { data } = await (await embed(url, { input: 'hello', encoding_format: 'base64' })).json();
    const bytes = Buffer.from(data[0].embedding, 'base64');
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual([...fakeRow({ kind: 'text', text: 'hello' })]);
  });

  it('answers 2,048 texts as one, in pieces', async () => {
    const { url } = await start({ encoders: { emb: { ...fakeEmbedding } } });
    const input = Array.from({ length: 2048 }, (_, at) => `text ${at}`);
    const response = await embed(url, { input });
    const { data } = await response.json();
    expect(data).toHaveLength(2048);
    expect(data[2047]).toEqual({ object: 'embedding', index: 2047, embedding: [...fakeRow({ kind: 'text', text: 'text 2047' })] });
  });

  it('cuts vectors of models trained for it, and scales them to length 1', async () => {
    const { url } = await start();
    const { data } = await (await embed(url, { model: 'cut', input: 'hello', dimensions: 2 })).json();
    const [x = 0, y = 0] = fakeRow({ kind: 'text', text: 'hello' });
    expect(data[0].embedding[0]).toBeCloseTo(x / Math.hypot(x, y), 6);
    expect(Math.hypot(...data[0].embedding)).toBeCloseTo(1, 6);
    expect(await errorOf(await embed(url, { model: 'cut', input: 'hello', dimensions: 1 }))).toMatchObject({
      status: 400,
      param: 'dimensions',
      message: /3, 2/,
    });
    expect(await errorOf(await embed(url, { input: 'hello', dimensions: 2 }))).toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param: 'dimensions',
    });
  });

  it('puts the prompt of the input’s type before a text', async () => {
    const { url, host } = await start();
    for (const extra of [{}, { input_type: 'document' }, { input_type: 'query' }])
      await embed(url, { model: 'sided', input: 'x', ...extra });
    await embed(url, { input: 'x', input_type: 'document' });
    expect(host.encodeRequests.map(({ inputs }) => inputs[0])).toEqual(
      ['Q: x', 'P: x', 'Q: x', 'x'].map((text) => ({ kind: 'text', text })),
    );
    expect(await errorOf(await embed(url, { model: 'sided', input: 'x', input_type: 'poem' }))).toMatchObject({
      code: 'unsupported_parameter',
      param: 'input_type',
    });
  });

  it('refuses what is no text, and names it', async () => {
    const { url } = await start();
    const cases: readonly (readonly [object, string])[] = [
      [{ input: '' }, 'input'],
      [{ input: [] }, 'input'],
      [{ input: ['a', ''] }, 'input[1]'],
      [{ input: [[1], []] }, 'input[1]'],
      [{ input: Array(2049).fill('a') }, 'input'],
      [{ input: null }, 'input'],
      [{ input: [1.5] }, 'input[0]'],
      [{ input: [[1, null]] }, 'input[0][1]'],
      [{ input: 'a', encoding_format: 'hex' }, 'encoding_format'],
      [{ input: 'a', dimensions: 0 }, 'dimensions'],
    ];
    for (const [body, param] of cases) {
      expect(await errorOf(await embed(url, body)), JSON.stringify(body).slice(0, 60)).toMatchObject({
        status: 400,
        type: 'invalid_request_error',
        param,
      });
    }
    for (const raw of ['{"model":"emb","input":[[NaN]]}', '{"model":"emb","input":"\\ud800"}', '{"model":"emb","input":[1e999]}']) {
      const response = await fetch(`${url}/v1/embeddings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: raw });
      expect(await errorOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
    }
  });

  it('passes on the host’s refusal with the input it names', async () => {
    const error = new EngineError('context_length_exceeded', 'The text at index 1 has 700 tokens.', { param: 'input[1]' });
    const { url } = await start({ failure: { error, afterSteps: 0 } });
    expect(await errorOf(await embed(url, { input: ['a', 'b'] }))).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'input[1]',
    });
  });

  it('refuses models of another kind both ways, and says where they answer', async () => {
    const { url } = await start();
    expect(await errorOf(await embed(url, { model: 'fake', input: 'a' }))).toMatchObject({ status: 400, param: 'model', message: /chat/ });
    expect(await errorOf(await post(`${url}/v1/chat/completions`, ask({ model: 'emb' })))).toMatchObject({
      status: 400,
      param: 'model',
      message: /embeddings/,
    });
    expect(await errorOf(await embed(url, { model: 'none', input: 'a' }))).toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('passes on truncate, the deadline and who asks', async () => {
    const { url, host } = await start();
    await embed(url, { input: 'a', truncate: true }, { headers: { 'content-type': 'application/json', 'x-millrace-deadline-ms': '250' } });
    expect(host.encodeRequests[0]?.params).toMatchObject({
      truncate: true,
      deadlineMs: 250,
      caller: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    const bad = await embed(url, { input: 'a' }, { headers: { 'content-type': 'application/json', 'x-millrace-deadline-ms': 'soon' } });
    expect(await errorOf(bad)).toMatchObject({ status: 400, param: 'x-millrace-deadline-ms' });
  });

  it('ends the work of a client that has gone', async () => {
    const { url, host } = await start();
    host.encodeGate = new Promise(() => undefined);
    const client = httpRequest(`${url}/v1/embeddings`, { method: 'POST', headers: { 'content-type': 'application/json' } });
    client.on('error', () => undefined).end(JSON.stringify({ model: 'emb', input: 'a' }));
    await until(() => host.encodeRequests.length === 1);
    client.destroy();
    await until(() => host.cancelled === 1);
  });

  it('ends open requests when the server drains', async () => {
    const { url, host, gateway } = await start();
    host.encodeGate = new Promise(() => undefined);
    const answer = embed(url, { input: 'a' });
    await until(() => host.encodeRequests.length === 1);
    const closing = gateway.close({ drainMs: 0 });
    expect(await errorOf(await answer)).toMatchObject({ status: 503, code: 'draining' });
    await closing;
  });
});
