import { describe, expect, it } from 'vitest';
import type { JobStatus } from '../../engine/contract.ts';
import { EngineError } from '../../engine/errors.ts';
import { readKeepAlive } from '../../engine/gateway/ollama/durations.ts';
import type { RequestRecord } from '../../engine/ledger/ledger.ts';
import { fakeEmbedding, fakeRow } from '../fakes/host.ts';
import { consoling, JOB } from './console/consoling.ts';
import { post, serving } from './serving.ts';

const shout = (prompt: string): string => `${prompt.trim().replace(/^.*: /s, '').toUpperCase()}!`;
const chat = (extra: object = {}) => ({ model: 'fake', messages: [{ role: 'user', content: 'hello' }], ...extra });
const linesOf = async (response: Response): Promise<Record<string, unknown>[]> =>
  (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('text', () => {
  it('is streamed as a line for each piece, by default; the last has the figures', async () => {
    const { url } = await serving({ answer: shout });
    const response = await post(`${url}/api/chat`, chat());
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = await linesOf(response);
    const last = lines.pop();
    expect(lines.map(({ message }) => (message as { content: string }).content).join('')).toBe('HELLO!');
    for (const line of lines) expect(line).toMatchObject({ model: 'fake', done: false, message: { role: 'assistant' } });
    expect(last).toMatchObject({ done: true, done_reason: 'stop', prompt_eval_count: 12, eval_count: 6, message: { content: '' } });
    expect(last?.['total_duration']).toEqual(expect.any(Number));
  });

  it('is one object without a stream; names may end with :latest', async () => {
    const { url } = await serving({ answer: shout });
    const answer = await (await post(`${url}/api/chat`, chat({ model: 'fake:latest', stream: false, options: { num_predict: 3 } }))).json();
    expect(answer).toMatchObject({
      model: 'fake:latest',
      message: { role: 'assistant', content: 'HEL' },
      done_reason: 'length',
      done: true,
    });
  });

  it('is generated with the chat template, or raw', async () => {
    const { url, host } = await serving({ answer: shout });
    const body = { model: 'fake', prompt: 'hi', system: 'be loud', stream: false, options: { stop: 'x', seed: 3, temperature: 0 } };
    expect(await (await post(`${url}/api/generate`, body)).json()).toMatchObject({ response: 'HI!', done: true });
    expect(host.requests[0]).toMatchObject({
      prompt: {
        messages: [
          { role: 'system', content: 'be loud' },
          { role: 'user', content: 'hi' },
        ],
      },
      params: { stop: ['x'], maxTokens: null, sampling: { seed: 3, temperature: 0, topK: 40, topP: 0.9 } },
    });
    await post(`${url}/api/generate`, { ...body, raw: true });
    expect(host.requests[1]?.prompt).toEqual({ kind: 'text', text: 'hi' });
  });

  it('ends with an error line when the model fails, and with a status before that', async () => {
    const error = new EngineError('runner_died', 'It died.');
    const late = await serving({ failure: { error, afterSteps: 2 } });
    expect((await linesOf(await post(`${late.url}/api/chat`, chat()))).at(-1)).toEqual({ error: 'It died.' });
    const early = await serving({ failure: { error, afterSteps: 0 } });
    const response = await post(`${early.url}/api/chat`, chat());
    expect([response.status, await response.json()]).toEqual([502, { error: 'It died.' }]);
  });

  it('is recorded as the request of its own endpoint, streamed or not', async () => {
    const records: RequestRecord[] = [];
    const { url } = await serving({ answer: shout }, {}, undefined, { onRecord: (record) => records.push(record) });
    await (await post(`${url}/api/chat`, chat())).text();
    await (await post(`${url}/api/generate`, { model: 'fake', prompt: 'a', stream: false })).text();
    await expect.poll(() => records).toHaveLength(2);
    expect(records).toMatchObject([
      { endpoint: '/api/chat', streamed: true, completionTokens: 6 },
      { endpoint: '/api/generate', streamed: false, completionTokens: 2 },
    ]);
  });

  it.each([
    ['tools', chat({ tools: [{ type: 'function' }] })],
    ['think', chat({ think: true })],
    ['mirostat', chat({ options: { mirostat: 1 } })],
    ['images', chat({ messages: [{ role: 'user', content: 'x', images: ['aGk='] }] })],
    ['keep_alive', chat({ keep_alive: 'long' })],
    ['nowhere', chat({ model: 'nowhere' })],
  ])('refuses %s by name, in the shape of its own API', async (name, body) => {
    const { url, host } = await serving();
    const response = await post(`${url}/api/chat`, body);
    expect(await response.json()).toEqual({ error: expect.stringContaining(name) });
    expect(response.status).toBe(name === 'nowhere' ? 404 : 400);
    expect(host.requests).toEqual([]);
  });

  it('fills in before a suffix where the tokenizer has the markers, and is refused elsewhere', async () => {
    const body = { model: 'fake', prompt: 'def a(', suffix: '): pass', stream: false };
    const without = await serving();
    expect((await post(`${without.url}/api/generate`, body)).status).toBe(400);
    const withMarkers = await serving({}, {}, (host) => {
      host.tokenize = async (_model, prompt) => (prompt.kind === 'text' && /^<fim_\w+>$/.test(prompt.text) ? [7] : [1, 2, 3]);
      return host;
    });
    await post(`${withMarkers.url}/api/generate`, body);
    expect(withMarkers.host.requests[0]?.prompt).toEqual({ kind: 'text', text: '<fim_prefix>def a(<fim_suffix>): pass<fim_middle>' });
  });
});

describe('vectors', () => {
  it('come for one text or several, and in the older form', async () => {
    const { url } = await serving({ encoders: { enc: fakeEmbedding } });
    const rows = ['ab', 'c'].map((text) => [...fakeRow({ kind: 'text', text })]);
    expect(await (await post(`${url}/api/embed`, { model: 'enc', input: ['ab', 'c'] })).json()).toMatchObject({
      model: 'enc',
      embeddings: rows,
      prompt_eval_count: 3,
    });
    expect(await (await post(`${url}/api/embed`, { model: 'enc', input: [] })).json()).toMatchObject({ embeddings: [] });
    expect(await (await post(`${url}/api/embeddings`, { model: 'enc', prompt: 'ab' })).json()).toEqual({ embedding: rows[0] });
  });
});

describe('models', () => {
  it('are listed, shown, and listed as loaded', async () => {
    const { url } = await serving({ encoders: { enc: fakeEmbedding } });
    const { models } = await (await fetch(`${url}/api/tags`)).json();
    expect(models.map(({ name }: { name: string }) => name)).toEqual(['fake:latest', 'enc:latest']);
    expect(models[0]).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), details: { family: expect.any(String) } });
    expect(await (await fetch(`${url}/api/ps`)).json()).toMatchObject({ models: [{ context_length: 2048 }, { context_length: 512 }] });
    expect(await (await post(`${url}/api/show`, { model: 'fake:latest' })).json()).toMatchObject({ capabilities: ['completion'] });
    expect(await (await post(`${url}/api/show`, { name: 'enc' })).json()).toMatchObject({ capabilities: ['embedding'] });
    expect((await post(`${url}/api/show`, {})).status).toBe(400);
    expect((await (await fetch(`${url}/api/version`)).json()).version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('are kept as long as a request says, and unloaded', async () => {
    const { url, told } = await consoling();
    await post(`${url}/api/chat`, chat({ keep_alive: '1h30m' }));
    await post(`${url}/api/chat`, chat());
    await post(`${url}/api/chat`, chat());
    await post(`${url}/api/generate`, { model: 'fake', prompt: 'x', keep_alive: -1 });
    const gone = await (await post(`${url}/api/chat`, { model: 'fake', keep_alive: 0 })).json();
    expect(gone).toMatchObject({ done: true, done_reason: 'unload' });
    expect(told).toEqual([`keep fake ${90 * 60_000}`, 'keep fake default', 'keep fake null', 'keep fake 0', 'unload fake']);
    expect(await (await post(`${url}/api/generate`, { model: 'fake' })).json()).toMatchObject({ done_reason: 'load', response: '' });
  });

  it('are deleted', async () => {
    const { told, call } = await consoling();
    expect((await call('DELETE', '/api/delete', { model: 'fake:latest' })).status).toBe(200);
    expect(told).toEqual(['remove fake']);
    expect((await call('DELETE', '/api/delete', { model: 'nowhere' })).status).toBe(404);
  });
});

describe('a pull', () => {
  const pulling = async (steps: readonly Partial<JobStatus>[]) => {
    let look = 0;
    const jobs = {
      list: () => (look === 0 && look++ === 0 ? [] : [{ ...JOB, ...steps[Math.min(look++ - 1, steps.length - 1)] }]),
      pull: () => JOB,
      pause: () => JOB,
      resume: () => JOB,
      cancel: () => JOB,
    };
    return consoling({}, { jobs });
  };
  const done = { state: 'done', endedMs: 9, result: 'ok' } as const;

  it('tells each advance, and its success', async () => {
    const { url } = await pulling([{ done: 10 }, { done: 20 }, { done: 20 }, { unit: 'steps', step: 'converting to int8' }, done]);
    expect(await linesOf(await post(`${url}/api/pull`, { model: 'mill-2b' }))).toEqual([
      { status: 'pulling manifest' },
      { status: 'pulling mill-2b', digest: 'mill-2b', total: 100, completed: 10 },
      { status: 'pulling mill-2b', digest: 'mill-2b', total: 100, completed: 20 },
      { status: 'converting to int8' },
      { status: 'success' },
    ]);
  });

  it('tells why it failed, and succeeds at once for what is there', async () => {
    const { url } = await pulling([{ state: 'failed', endedMs: 9, result: 'No such model.' }]);
    expect((await linesOf(await post(`${url}/api/pull`, { model: 'mill-2b' }))).at(-1)).toEqual({ error: 'No such model.' });
    expect(await (await post(`${url}/api/pull`, { name: 'fake:latest', stream: false })).json()).toEqual({ status: 'success' });
  });
});

it('shares the console’s guard: no page of another origin, no body that is not JSON', async () => {
  const { url } = await serving({}, { allowedOrigins: ['https://chat.example'] });
  const foreign = { 'content-type': 'application/json', origin: 'https://chat.example' };
  expect((await fetch(`${url}/api/chat`, { method: 'POST', headers: foreign, body: JSON.stringify(chat()) })).status).toBe(403);
  expect((await fetch(`${url}/api/tags`, { headers: { origin: 'https://chat.example' } })).status).toBe(403);
  const plain = await fetch(`${url}/api/chat`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify(chat()) });
  expect([plain.status, await plain.json()]).toEqual([415, { error: expect.any(String) }]);
});

it('reads durations as Ollama spells them', () => {
  expect(['5m', '1h30m', '300ms', '10', 10, '1.5h', '0', 0].map(readKeepAlive)).toEqual([
    300_000, 5_400_000, 300, 10_000, 10_000, 5_400_000, 0, 0,
  ]);
  expect(['-1', -1, '-1s', '9000000h'].map(readKeepAlive)).toEqual([null, null, null, null]);
  for (const bad of ['', 'm', '5x', '5m?', 'forever']) expect(() => readKeepAlive(bad)).toThrow(EngineError);
});
