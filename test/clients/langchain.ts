// LangChain's npm client.
import { HumanMessage, SystemMessage } from '@langchain/core/messages';
import { ChatOpenAI, OpenAI } from '@langchain/openai';
import { type TestAPI, expect } from 'vitest';
import { MODEL } from '../served.ts';
import { FRANCE, FRANCE_ANSWER, STORY } from './questions.ts';

export function langchainSuite(it: TestAPI, baseUrl: () => string): void {
  const settings = (): object => ({ model: MODEL, apiKey: 'none', temperature: 0, maxRetries: 0, configuration: { baseURL: baseUrl() } });

  it('invokes a chat model and counts tokens', async () => {
    const chat = new ChatOpenAI({ ...settings(), maxTokens: 24 });
    const answer = await chat.invoke([new SystemMessage('You are a helpful assistant.'), new HumanMessage(FRANCE[0].content)]);
    expect(answer.content).toMatch(FRANCE_ANSWER);
    expect(answer).toMatchObject({ usage_metadata: { output_tokens: expect.any(Number) }, response_metadata: { finish_reason: expect.stringMatching(/^(stop|length)$/) } });
  });

  it('streams in pieces, with usage at the end', async () => {
    const chat = new ChatOpenAI({ ...settings(), maxTokens: 32, streamUsage: true });
    const chunks = [];
    for await (const chunk of await chat.stream(STORY[0].content)) chunks.push(chunk);
    expect(chunks.filter((chunk) => chunk.content !== '').length).toBeGreaterThan(5);
    const whole = chunks.reduce((sum, chunk) => sum.concat(chunk));
    expect(whole).toMatchObject({ usage_metadata: { output_tokens: 32 } });
    expect(whole.content).toBe((await chat.invoke(STORY[0].content)).content);
  });

  it('stops, samples n and returns log-probabilities', async () => {
    const stopped = await new ChatOpenAI({ ...settings(), maxTokens: 24 }).invoke(FRANCE[0].content, { stop: ['Paris'] });
    expect(stopped.content).not.toMatch(FRANCE_ANSWER);
    const chat = new ChatOpenAI({ ...settings(), temperature: 1, n: 2, maxTokens: 8, logprobs: true, topLogprobs: 2 });
    const result = await chat.generate([[new HumanMessage(STORY[0].content)]]);
    expect(result.generations[0]).toHaveLength(2);
  });

  it('runs a batch side by side', async () => {
    const answers = await new ChatOpenAI({ ...settings(), maxTokens: 24 }).batch(Array.from({ length: 4 }, () => FRANCE[0].content));
    for (const answer of answers) expect(answer.content).toMatch(FRANCE_ANSWER);
  });

  it('continues plain text', async () => {
    const text = await new OpenAI({ ...settings(), maxTokens: 6 }).invoke('The capital of France is');
    expect(text).toMatch(FRANCE_ANSWER);
  });

  it('reads the error of a missing model', async () => {
    const failure = new ChatOpenAI({ ...settings(), model: 'no-such-model' }).invoke(FRANCE[0].content);
    await expect(failure).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });
}
