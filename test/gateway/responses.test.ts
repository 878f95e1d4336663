import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EngineError } from '../../engine/errors.ts';
import { response as responseSchema } from '../../engine/gateway/responses/schemas.ts';
import type { FakeHost } from '../fakes/host.ts';
import { errorOf, eventsOf, post, serving, until } from './serving.ts';

const PATH = '/v1/responses';
const shout = (prompt: string): string =>
  `${prompt
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^\w+: /, '')
    .toUpperCase()}!`;
const askFor = (extra: object = {}) => ({ model: 'fake', input: 'hello', ...extra });
const textOf = (response: { output: { content: { text: string }[] }[] }): string | undefined => response.output[0]?.content[0]?.text;

const remove = (url: string): Promise<Response> => fetch(url, { method: 'DELETE' });
const lastMessages = (host: FakeHost) => {
  const prompt = host.requests.at(-1)?.prompt;
  return prompt?.kind === 'chat' ? prompt.messages : null;
};

describe('a whole response', () => {
  it('has the documented shape, with usage', async () => {
    const { url } = await serving({ answer: shout });
    const answer = await (await post(url + PATH, askFor({ metadata: { a: 'b' }, max_output_tokens: 50 }))).json();
    expect(Value.Errors(responseSchema, answer)).toEqual([]);
    expect(answer).toMatchObject({
      status: 'completed',
      error: null,
      incomplete_details: null,
      metadata: { a: 'b' },
      max_output_tokens: 50,
    });
    expect(textOf(answer)).toBe('HELLO!');
    expect(answer.usage).toMatchObject({ input_tokens: 12, output_tokens: 6, total_tokens: 18 });
  });

  it('is incomplete when the limit ends it', async () => {
    const { url } = await serving({ answer: shout });
    const answer = await (await post(url + PATH, askFor({ max_output_tokens: 3 }))).json();
    expect(answer).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    expect(answer.output[0]).toMatchObject({ status: 'incomplete', content: [{ text: 'HEL' }] });
  });

  it('reads items of every kind of text; instructions and the first system messages are one message', async () => {
    const { url, host } = await serving();
    const input = [
      { role: 'developer', content: 'd' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'u' },
          { type: 'input_text', text: 'v' },
        ],
      },
      { type: 'reasoning', id: 'rs_1', summary: [] },
      { role: 'assistant', content: 'a' },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'b', annotations: [], logprobs: null }],
      },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'r' }] },
    ];
    expect(
      (await post(url + PATH, askFor({ input, instructions: 'i', text: { format: { type: 'text' } }, reasoning: { effort: null } })))
        .status,
    ).toBe(200);
    expect(lastMessages(host)).toEqual([
      { role: 'system', content: 'i\n\nd' },
      { role: 'user', content: 'u\nv' },
      { role: 'assistant', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'assistant', content: 'r' },
    ]);
  });

  it('gives log-probabilities when they are included', async () => {
    const { url } = await serving({ answer: shout });
    const answer = await (await post(url + PATH, askFor({ include: ['message.output_text.logprobs'], top_logprobs: 2 }))).json();
    expect(Value.Errors(responseSchema, answer)).toEqual([]);
    const { logprobs } = answer.output[0].content[0];
    expect(logprobs.map(({ token }: { token: string }) => token).join('')).toBe('HELLO!');
    expect(logprobs[0].top_logprobs).toHaveLength(2);
  });
});

describe('a streamed response', () => {
  it('has every event, numbered, and ends with the object that is stored', async () => {
    const { url } = await serving({ answer: shout });
    const events = (await eventsOf(await post(url + PATH, askFor({ stream: true })))).map((event) => JSON.parse(event));
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, at) => at));
    const types = events.map(({ type }) => type.replace('response.', ''));
    expect(types.filter((type, at) => type !== types[at - 1])).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
    const deltas = events.filter(({ type }) => type === 'response.output_text.delta');
    expect(deltas.map(({ delta }) => delta).join('')).toBe('HELLO!');
    const last = events.at(-1).response;
    expect(Value.Errors(responseSchema, last)).toEqual([]);
    for (const { item_id, output_index, content_index } of deltas)
      expect([item_id, output_index, content_index]).toEqual([last.output[0].id, 0, 0]);
    expect(await (await fetch(`${url}${PATH}/${last.id}`)).json()).toEqual(last);
  });

  it('opens and closes a message for an answer without text', async () => {
    const { url } = await serving({ answer: () => '' });
    const events = (await eventsOf(await post(url + PATH, askFor({ stream: true })))).map((event) => JSON.parse(event));
    expect(events.map(({ type }) => type)).toContain('response.content_part.added');
    expect(textOf(events.at(-1).response)).toBe('');
  });

  it('ends with an error event and a failed object when the model fails', async () => {
    const failure = { error: new EngineError('runner_died', 'It died.'), afterSteps: 2 };
    const { url } = await serving({ failure });
    const events = (await eventsOf(await post(url + PATH, askFor({ stream: true })))).map((event) => JSON.parse(event));
    const [error, failed] = events.slice(-2);
    expect(error).toMatchObject({ type: 'error', code: 'runner_died', message: 'It died.' });
    expect(failed).toMatchObject({ type: 'response.failed', response: { status: 'failed', error: { code: 'server_error' } } });
  });
});

describe('what is kept', () => {
  it('is continued: items and answers before it, without its instructions', async () => {
    const { url, host } = await serving({ answer: shout });
    const first = await (await post(url + PATH, askFor({ input: 'one', instructions: 'be loud' }))).json();
    const second = await (await post(url + PATH, askFor({ input: 'two', previous_response_id: first.id }))).json();
    await post(url + PATH, askFor({ input: 'three', previous_response_id: second.id }));
    expect(lastMessages(host)?.map(({ role, content }) => `${role} ${content}`)).toEqual([
      'user one',
      'assistant ONE!',
      'user two',
      'assistant TWO!',
      'user three',
    ]);
  });

  it('is read, listed and deleted', async () => {
    const { url } = await serving({ answer: shout });
    const input = ['a', 'b', 'c'].map((content) => ({ role: 'user', content }));
    const made = await (await post(url + PATH, askFor({ input }))).json();
    const items = `${url}${PATH}/${made.id}/input_items`;
    const page = await (await fetch(`${items}?limit=2`)).json();
    expect(page.data.map(({ content }: { content: { text: string }[] }) => content[0]?.text)).toEqual(['c', 'b']);
    expect(page.has_more).toBe(true);
    const rest = await (await fetch(`${items}?after=${page.last_id}`)).json();
    expect(rest).toMatchObject({ data: [{ content: [{ type: 'input_text', text: 'a' }] }], has_more: false });
    expect(await (await remove(`${url}${PATH}/${made.id}`)).json()).toEqual({ id: made.id, object: 'response', deleted: true });
    expect(await errorOf(await fetch(`${url}${PATH}/${made.id}`))).toMatchObject({ status: 404, code: 'response_not_found' });
  });

  it('is nothing with store: false, and nothing goes on from it', async () => {
    const { url } = await serving();
    const { id } = await (await post(url + PATH, askFor({ store: false }))).json();
    expect(await errorOf(await fetch(`${url}${PATH}/${id}`))).toMatchObject({ status: 404 });
    expect(await errorOf(await post(url + PATH, askFor({ previous_response_id: id })))).toMatchObject({
      code: 'response_not_found',
      param: 'previous_response_id',
    });
  });

  it('outlives the server, and expires', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'responses-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const config = { responsesFile: join(folder, 'responses.db') };
    const before = await serving({}, config);
    const made = await (await post(before.url + PATH, askFor())).json();
    await before.gateway.close({ drainMs: 0 });
    const after = await serving({}, config);
    expect(await (await fetch(`${after.url}${PATH}/${made.id}`)).json()).toEqual(made);
    await after.gateway.close({ drainMs: 0 });
    const inTwoMonths = await serving({}, config, undefined, { now: () => Date.now() + 60 * 86_400_000 });
    expect((await fetch(`${inTwoMonths.url}${PATH}/${made.id}`)).status).toBe(404);
  });
});

describe('a response in the background', () => {
  it('answers at once, goes on without the client, and is done later', async () => {
    const { url, host } = await serving({ answer: shout, stepMs: null });
    const queued = await (await post(url + PATH, askFor({ background: true }))).json();
    expect(queued).toMatchObject({ status: 'queued', background: true, output: [] });
    const look = async () => (await fetch(`${url}${PATH}/${queued.id}`)).json();
    host.step();
    expect(await look()).toMatchObject({ status: 'in_progress' });
    while (host.openCount > 0) host.step();
    const done = await look();
    expect(done).toMatchObject({ status: 'completed', background: true });
    expect(textOf(done)).toBe('HELLO!');
  });

  it('is recorded once, when it is done, with its tokens', async () => {
    const records: { completionTokens: number; outcome: string; endpoint: string }[] = [];
    const { url, host } = await serving({ answer: shout, stepMs: null }, {}, undefined, { onRecord: (record) => records.push(record) });
    await (await post(url + PATH, askFor({ background: true }))).json();
    expect(records).toEqual([]);
    while (host.openCount > 0) host.step();
    await until(() => records.length > 0);
    expect(records).toMatchObject([{ endpoint: PATH, completionTokens: 6, outcome: 'ok' }]);
  });

  it('is cancelled, twice too, and its work ends', async () => {
    const { url, host } = await serving({ stepMs: null });
    const { id } = await (await post(url + PATH, askFor({ background: true }))).json();
    for (const _ of [1, 2]) expect(await (await post(`${url}${PATH}/${id}/cancel`, {})).json()).toMatchObject({ id, status: 'cancelled' });
    expect(host.cancelled).toBe(1);
  });

  it('fails in its object', async () => {
    const { url } = await serving({ failure: { error: new EngineError('runner_died', 'It died.'), afterSteps: 0 } });
    const { id } = await (await post(url + PATH, askFor({ background: true }))).json();
    let status = '';
    while (status !== 'failed') status = (await (await fetch(`${url}${PATH}/${id}`)).json()).status;
    expect(status).toBe('failed');
  });

  it('is the only kind that can be cancelled', async () => {
    const { url } = await serving();
    const { id } = await (await post(url + PATH, askFor())).json();
    expect(await errorOf(await post(`${url}${PATH}/${id}/cancel`, {}))).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

it('counts the tokens of an input', async () => {
  const { url } = await serving();
  const answer = await (await post(`${url}${PATH}/input_tokens`, { model: 'fake', input: 'hello' })).json();
  expect(answer).toEqual({ object: 'response.input_tokens', input_tokens: 'user: hello\n'.length });
});

describe('what a response refuses by name', () => {
  it.each([
    ['tools', 'unsupported_parameter', { tools: [{ type: 'web_search' }] }],
    ['text', 'unsupported_parameter', { text: { verbosity: 'low' } }],
    ['reasoning', 'unsupported_parameter', { reasoning: { effort: 'high' } }],
    ['truncation', 'unsupported_parameter', { truncation: 'auto' }],
    ['conversation', 'unsupported_parameter', { conversation: 'conv_1' }],
    ['prompt', 'unsupported_parameter', { prompt: { id: 'p' } }],
    ['background', 'unsupported_parameter', { background: true, stream: true }],
    ['background', 'invalid_request', { background: true, store: false }],
    ['include', 'unsupported_parameter', { include: ['everything'] }],
    ['input', 'invalid_request', { input: undefined }],
    ['input', 'invalid_request', { input: [] }],
    ['input[0].type', 'unsupported_parameter', { input: [{ type: 'item_reference', id: 'x' }] }],
    ['input[0].content[0]', 'unsupported_parameter', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] }],
    ['input[0].content', 'invalid_request', { input: [{ role: 'user' }] }],
    ['max_output_tokens', 'invalid_request', { max_output_tokens: 0 }],
    ['metadata', 'invalid_request', { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [at, 'x'])) }],
  ])('%s (%s)', async (param, code, extra) => {
    const { url, host } = await serving();
    expect(await errorOf(await post(url + PATH, askFor(extra)))).toMatchObject({ status: 400, code, param });
    expect(host.requests).toEqual([]);
  });
});
