import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.ts';
import { chatChunk, chatCompletion } from '../../engine/gateway/routes/response-schemas.ts';
import { ask, errorOf, eventsOf, post, serving } from './serving.ts';

const PATH = '/v1/chat/completions';

describe('a whole chat answer', () => {
  it('has the documented shape, with usage over all choices', async () => {
    const { url } = await serving({ answer: (_prompt, choice) => ['abc', 'de'][choice] ?? '' });
    const answer = await (await post(url + PATH, ask({ n: 2, logprobs: true, top_logprobs: 2 }))).json();
    expect(Value.Errors(chatCompletion, answer)).toEqual([]);
    expect(answer.choices.map((choice: { message: { content: string } }) => choice.message.content)).toEqual(['abc', 'de']);
    expect(answer.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 });
    expect(answer.choices[0].logprobs.content[0]).toMatchObject({
      token: 'a',
      bytes: [97],
      top_logprobs: [{ token: 'a' }, { token: 'b' }],
    });
  });

  it('gives every field to the host under its own name', async () => {
    const { url, host } = await serving();
    const sampling = {
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      min_p: 0.1,
      typical_p: 0.8,
      repetition_penalty: 1.1,
      frequency_penalty: 0.2,
      presence_penalty: 0.3,
    };
    await post(
      url + PATH,
      ask({ ...sampling, seed: 7, logit_bias: { 65: -100 }, stop: ['x', 'y'], max_tokens: 9, max_completion_tokens: 5, ignore_eos: true }),
    );
    expect(host.requests[0]?.params).toEqual({
      sampling: {
        temperature: 0.5,
        topP: 0.9,
        topK: 40,
        minP: 0.1,
        typicalP: 0.8,
        repetitionPenalty: 1.1,
        frequencyPenalty: 0.2,
        presencePenalty: 0.3,
        logitBias: [[65, -100]],
        seed: 7,
      },
      maxTokens: 5,
      stop: ['x', 'y'],
      topLogprobs: null,
      promptLogprobs: false,
      n: 1,
      ignoreEos: true,
    });
  });

  it('reads roles, parts and nulls as clients send them', async () => {
    const { url, host } = await serving();
    const messages = [
      { role: 'developer', content: 'be brief', name: null },
      { role: 'assistant', content: null, refusal: 'no', tool_calls: null },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        name: 'ann',
      },
    ];
    const nulls = {
      temperature: null,
      stop: null,
      tools: null,
      response_format: null,
      stream: null,
      stream_options: null,
      n: null,
      logprobs: null,
    };
    expect((await post(url + PATH, { model: 'fake', messages, ...nulls, unknown_field: { any: 1 } })).status).toBe(200);
    expect(host.requests[0]?.prompt).toMatchObject({
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'assistant', content: 'no' },
        { role: 'user', content: 'a\nb', name: 'ann' },
      ],
    });
  });

  it('accepts fields and values that ask for nothing', async () => {
    const { url } = await serving();
    const harmless = {
      tools: [],
      tool_choice: 'auto',
      response_format: { type: 'text' },
      modalities: ['text'],
      service_tier: 'auto',
      reasoning_effort: 'none',
    };
    expect(
      (await post(url + PATH, ask({ ...harmless, user: 'u', metadata: { a: 'b' }, store: true, parallel_tool_calls: true }))).status,
    ).toBe(200);
  });
});

describe('what a chat refuses by name', () => {
  const unsupported = {
    functions: [{ name: 'f' }],
    function_call: { name: 'f' },
    modalities: ['text', 'audio'],
    audio: { voice: 'alloy' },
    prediction: { type: 'content', content: 'x' },
    web_search_options: {},
    reasoning_effort: 'high',
    verbosity: 'low',
    service_tier: 'flex',
  };
  it.each(Object.entries(unsupported))('%s', async (param, value) => {
    const { url, host } = await serving();
    expect(await errorOf(await post(url + PATH, ask({ [param]: value })))).toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param,
    });
    expect(host.requests).toEqual([]);
  });

  it.each([
    ['messages[0].content[0]', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }],
    ['messages[0].role', { messages: [{ role: 'function', content: 'x', name: 'f' }] }],
    ['tools[0].type', { tools: [{ type: 'custom' }] }],
    ['messages[0].tool_calls[0].type', { messages: [{ role: 'assistant', content: null, tool_calls: [{ type: 'custom' }] }] }],
    ['stream_options.include_obfuscation', { stream: true, stream_options: { include_obfuscation: true } }],
  ])('%s', async (param, extra) => {
    const { url } = await serving();
    expect(await errorOf(await post(url + PATH, ask(extra)))).toMatchObject({ status: 400, code: 'unsupported_parameter', param });
  });

  it.each([
    ['model', { model: undefined }],
    ['messages', { messages: [] }],
    ['messages[0].content', { messages: [{ role: 'user' }] }],
    ['messages[0].role', { messages: [{ role: 'wizard', content: 'x' }] }],
    ['temperature', { temperature: 2.5 }],
    ['temperature', { temperature: '1' }],
    ['top_p', { top_p: -0.1 }],
    ['max_tokens', { max_tokens: 0 }],
    ['n', { n: 0 }],
    ['n', { n: 100_000 }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['top_logprobs', { logprobs: true, top_logprobs: 21 }],
    ['logit_bias', { logit_bias: { 256: 1 } }],
    ['logit_bias', { logit_bias: { x: 1 } }],
    ['stop', { stop: '' }],
    ['stop', { stop: Array.from({ length: 17 }, (_, at) => `s${at}`) }],
    ['seed', { seed: 1.5 }],
    ['stream_options', { stream_options: { include_usage: true } }],
  ])('a bad %s', async (param, extra) => {
    const { url } = await serving();
    expect(await errorOf(await post(url + PATH, ask(extra)))).toMatchObject({ status: 400, code: 'invalid_request', param });
  });

  it('a model that is not there, naming those that are', async () => {
    const { url } = await serving({ models: ['a', 'b'] });
    const error = await errorOf(await post(url + PATH, ask({ model: 'c' })));
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    expect(error.message).toContain('a, b');
  });
});

describe('a streamed chat answer', () => {
  it('repeats its head, has all keys in every chunk, and ends with usage and the end mark', async () => {
    const { url } = await serving({ answer: (_prompt, choice) => ['abc', 'de'][choice] ?? '' });
    const response = await post(url + PATH, ask({ stream: true, n: 2, logprobs: true, stream_options: { include_usage: true } }));
    expect(response.headers.get('content-type')).toMatch('text/event-stream');
    const events = await eventsOf(response);
    expect(events.pop()).toBe('[DONE]');
    const chunks = events.map((event) => JSON.parse(event));
    for (const chunk of chunks) expect(Value.Errors(chatChunk, chunk)).toEqual([]);
    expect(
      new Set(chunks.map(({ id, created, model, system_fingerprint }) => JSON.stringify([id, created, model, system_fingerprint]))).size,
    ).toBe(1);
    expect(chunks.pop()).toMatchObject({ choices: [], usage: { completion_tokens: 5 } });
    expect(chunks.every(({ usage }) => usage === null)).toBe(true);
    const choices = chunks.flatMap((chunk) => chunk.choices);
    expect(choices[0].delta).toEqual({ role: 'assistant', content: '', refusal: null });
    expect(
      choices
        .filter(({ finish_reason }) => finish_reason !== null)
        .map(({ index }) => index)
        .sort((a, b) => a - b),
    ).toEqual([0, 1]);
    expect(
      [0, 1].map((at) =>
        choices
          .filter(({ index }) => index === at)
          .map(({ delta }) => delta.content ?? '')
          .join(''),
      ),
    ).toEqual(['abc', 'de']);
  });

  it('says nothing of usage unless asked', async () => {
    const { url } = await serving();
    const events = await eventsOf(await post(url + PATH, ask({ stream: true })));
    expect(events.some((event) => event.includes('usage'))).toBe(false);
  });

  it('answers an early refusal with its status, a late one with an error frame', async () => {
    const { url, host } = await serving();
    host.failure = {
      error: new EngineError('context_length_exceeded', 'The prompt has 9 tokens, the context 4.', { param: 'messages' }),
      afterSteps: 0,
    };
    expect(await errorOf(await post(url + PATH, ask({ stream: true })))).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'messages',
    });
    host.failure = { error: new EngineError('runner_died', 'It ended.'), afterSteps: 2 };
    const events = await eventsOf(await post(url + PATH, ask({ stream: true })));
    expect(JSON.parse(events.at(-1) ?? '')).toEqual({
      error: { message: 'It ended.', type: 'server_error', param: null, code: 'runner_died' },
    });
  });
});

describe('a full queue', () => {
  it('is a 429 that says when to come back', async () => {
    const { url } = await serving({ maxWaiting: 0 });
    const response = await post(url + PATH, ask());
    expect(response.headers.get('retry-after')).toBe('3');
    expect(await errorOf(response)).toMatchObject({ status: 429, type: 'rate_limit_error', code: 'queue_full' });
  });
});
