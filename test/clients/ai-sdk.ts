// The Vercel AI SDK through its provider for OpenAI-compatible servers.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, generateText, jsonSchema, Output, streamText, type ToolSet } from 'ai';
import { type TestAPI, expect } from 'vitest';
import { MODEL } from '../served.ts';
import { FRANCE, FRANCE_ANSWER, STORY } from './questions.ts';

export function aiSdkSuite(it: TestAPI, baseUrl: () => string): void {
  const provider = (): ReturnType<typeof createOpenAICompatible> =>
    createOpenAICompatible({ name: 'millrace', baseURL: baseUrl(), includeUsage: true });
  const settings = { temperature: 0, maxRetries: 0 } as const;

  it('generateText answers with usage', async () => {
    const result = await generateText({ ...settings, model: provider()(MODEL), messages: [...FRANCE], maxOutputTokens: 24 });
    expect(result.text).toMatch(FRANCE_ANSWER);
    expect(result.finishReason).toBe('stop');
    expect(result.usage.outputTokens).toBeGreaterThan(3);
    expect(result.usage.totalTokens).toBe((result.usage.inputTokens ?? 0) + (result.usage.outputTokens ?? 0));
  });

  it('streamText streams and reports usage', async () => {
    const result = streamText({ ...settings, model: provider()(MODEL), messages: [...STORY], maxOutputTokens: 32 });
    const parts = [];
    for await (const part of result.textStream) parts.push(part);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.join('')).toBe(await result.text);
    expect(await result.finishReason).toBe('length');
    expect((await result.usage).outputTokens).toBe(32);
  });

  it('takes a system prompt, a seed and stop sequences', async () => {
    const sample = async (seed: number): Promise<string> =>
      (
        await generateText({
          model: provider()(MODEL),
          messages: [...STORY],
          instructions: 'Be brief.',
          temperature: 1,
          seed,
          maxOutputTokens: 24,
        })
      ).text;
    const first = await sample(5);
    expect(await sample(5)).toBe(first);
    const stopped = await generateText({ ...settings, model: provider()(MODEL), messages: [...FRANCE], stopSequences: ['Paris'] });
    expect(stopped.text).not.toMatch(FRANCE_ANSWER);
    expect(stopped.finishReason).toBe('stop');
  });

  it('continues plain text', async () => {
    const result = await generateText({
      ...settings,
      model: provider().completionModel(MODEL),
      prompt: 'The capital of France is',
      maxOutputTokens: 6,
    });
    expect(result.text).toMatch(FRANCE_ANSWER);
  });

  it('streams a call of a tool', async () => {
    const inputSchema = jsonSchema({
      type: 'object',
      properties: { city: { type: 'string', enum: ['Paris', 'Rome'] } },
      required: ['city'],
      additionalProperties: false,
    });
    const tools: ToolSet = { weather: { description: 'The weather of a city', inputSchema } };
    const result = streamText({
      ...settings,
      model: provider()(MODEL),
      messages: [...FRANCE],
      tools,
      toolChoice: 'required',
      maxOutputTokens: 200,
    });
    const calls = await result.toolCalls;
    expect(await result.finishReason).toBe('tool-calls');
    for (const call of calls) expect(call).toMatchObject({ toolName: 'weather', input: { city: expect.stringMatching(/Paris|Rome/) } });
    expect(calls.length).toBeGreaterThan(0);
  });

  it('makes an object by a schema', async () => {
    const structured = createOpenAICompatible({ name: 'millrace', baseURL: baseUrl(), supportsStructuredOutputs: true });
    const schema = jsonSchema<{ city: string }>({
      type: 'object',
      properties: { city: { type: 'string', enum: ['Rome', 'Paris', 'Berlin'] } },
      required: ['city'],
      additionalProperties: false,
    });
    const result = await generateText({ ...settings, model: structured(MODEL), messages: [...FRANCE], output: Output.object({ schema }) });
    expect(result.output).toEqual({ city: 'Paris' });
  });

  it('reads the error of a missing model', async () => {
    const failure = generateText({ ...settings, model: provider()('no-such-model'), messages: [...FRANCE] });
    const error = await failure.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ statusCode: 404, isRetryable: false, message: expect.stringContaining('no-such-model') });
  });

  it('stops when its signal is aborted', async () => {
    const controller = new AbortController();
    const result = streamText({
      ...settings,
      model: provider()(MODEL),
      messages: [...STORY],
      maxOutputTokens: 1000,
      abortSignal: controller.signal,
    });
    let length = 0;
    for await (const part of result.textStream) {
      length += part.length;
      controller.abort();
    }
    expect(length).toBeLessThan(1000);
  });
}
