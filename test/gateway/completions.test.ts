import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { textChunk, textCompletion } from '../../engine/gateway/routes/response-schemas.ts';
import { errorOf, eventsOf, post, serving } from './serving.ts';

const PATH = '/v1/completions';
const shout = (prompt: string): string => `${prompt.toUpperCase()}!`;

async function complete(body: object, options = {}) {
  const { url, host } = await serving({ answer: shout, ...options });
  const response = await post(url + PATH, { model: 'fake', ...body });
  return { answer: await response.json(), host };
}

const texts = (answer: { choices: { text: string }[] }): string[] => answer.choices.map(({ text }) => text);

describe('a whole completion', () => {
  it('answers each prompt n times, in order', async () => {
    const { answer } = await complete({ prompt: ['ab', 'c'], n: 2 });
    expect(Value.Errors(textCompletion, answer)).toEqual([]);
    expect(texts(answer)).toEqual(['AB!', 'AB!', 'C!', 'C!']);
    expect(answer.choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3]);
    expect(answer.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 10 });
  });

  it('takes token ids, of one prompt or several', async () => {
    expect(texts((await complete({ prompt: [97, 98] })).answer)).toEqual(['AB!']);
    expect(texts((await complete({ prompt: [[97], [98]] })).answer)).toEqual(['A!', 'B!']);
  });

  it('has the older default of 16 tokens', async () => {
    expect((await complete({ prompt: 'a' })).host.requests[0]?.params.maxTokens).toBe(16);
  });

  it('echoes text and token ids, with log-probabilities and offsets over both', async () => {
    for (const prompt of ['ab', [97, 98]]) {
      const { answer } = await complete({ prompt, echo: true, logprobs: 1 });
      expect(Value.Errors(textCompletion, answer)).toEqual([]);
      expect(texts(answer)).toEqual(['abAB!']);
      const { tokens, token_logprobs, top_logprobs, text_offset } = answer.choices[0].logprobs;
      expect(tokens.join('')).toBe('abAB!');
      expect(text_offset).toEqual([0, 1, 2, 3, 4]);
      expect(token_logprobs).toEqual([null, -1, -1, -1, -1]);
      expect(top_logprobs[0]).toBeNull();
    }
    expect(texts((await complete({ prompt: [97], echo: true })).answer)).toEqual(['aA!']);
  });

  it('returns the likeliest of best_of, and counts them all', async () => {
    const { answer } = await complete({ prompt: 'a', best_of: 3, n: 1 }, { answer: (_prompt: string, choice: number) => `${choice}` });
    expect(texts(answer)).toEqual(['2']);
    expect(answer.choices[0].logprobs).toBeNull();
    expect(answer.usage.completion_tokens).toBe(3);
  });

  it('keeps a bounded number of prompts in the queue, and answers them all', async () => {
    const prompt = Array.from({ length: 40 }, (_, at) => `p${at}`);
    expect(texts((await complete({ prompt }, { maxWaiting: 16 })).answer)).toEqual(prompt.map(shout));
  });
});

describe('a streamed completion', () => {
  it('has all keys in every chunk; choices of several prompts are told apart', async () => {
    const { url } = await serving({ answer: shout });
    const body = { model: 'fake', prompt: ['ab', 'c'], stream: true, echo: true, logprobs: 0, stream_options: { include_usage: true } };
    const events = await eventsOf(await post(url + PATH, body));
    expect(events.pop()).toBe('[DONE]');
    const chunks = events.map((event) => JSON.parse(event));
    for (const chunk of chunks) expect(Value.Errors(textChunk, chunk)).toEqual([]);
    expect(chunks.pop()).toMatchObject({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 5 } });
    const choices = chunks.flatMap((chunk) => chunk.choices);
    const textOf = (at: number): string =>
      choices
        .filter(({ index }) => index === at)
        .map(({ text }) => text)
        .join('');
    expect([textOf(0), textOf(1)]).toEqual(['abAB!', 'cC!']);
    const offsets = choices
      .filter(({ index, logprobs }) => index === 0 && logprobs !== null)
      .flatMap(({ logprobs }) => logprobs.text_offset);
    expect(offsets).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('what a completion refuses by name', () => {
  it.each([
    ['suffix', 'unsupported_parameter', { suffix: 'end' }],
    ['best_of', 'unsupported_parameter', { best_of: 2, stream: true }],
    ['best_of', 'invalid_request', { best_of: 1, n: 2 }],
    ['prompt', 'invalid_request', { prompt: undefined }],
    ['prompt', 'invalid_request', { prompt: [] }],
    ['prompt', 'invalid_request', { prompt: '' }],
    ['prompt', 'invalid_request', { prompt: [[]] }],
    ['prompt', 'invalid_request', { prompt: [256] }],
    ['prompt', 'invalid_request', { prompt: Array.from({ length: 257 }, () => 'a') }],
    ['max_tokens', 'invalid_request', { max_tokens: 0 }],
    ['n', 'invalid_request', { prompt: ['a', 'b'], n: 200 }],
    ['logprobs', 'invalid_request', { logprobs: 21 }],
  ])('%s (%s)', async (param, code, extra) => {
    const { url } = await serving();
    expect(await errorOf(await post(url + PATH, { model: 'fake', prompt: 'a', ...extra }))).toMatchObject({ status: 400, code, param });
  });
});
