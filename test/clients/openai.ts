// OpenAI's npm client: what it gets when all goes well.
import OpenAI from 'openai';
import { type TestAPI, expect } from 'vitest';
import { MODEL } from '../served.ts';
import { FRANCE_ANSWER, askFrance, askStory } from './questions.ts';

export const openaiClient = (baseURL: string): OpenAI => new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });

export function openaiSuite(it: TestAPI, baseUrl: () => string): void {
  const client = (): OpenAI => openaiClient(baseUrl());

  it('lists the models and retrieves one', async () => {
    const ids = [];
    for await (const model of client().models.list()) ids.push(model.id);
    expect(ids).toContain(MODEL);
    const model = await client().models.retrieve(MODEL);
    expect(model).toMatchObject({ id: MODEL, object: 'model', created: expect.any(Number), owned_by: expect.any(String) });
  });

  it('answers a chat with usage and a reason to finish', async () => {
    const answer = await client().chat.completions.create(askFrance);
    expect(answer.object).toBe('chat.completion');
    expect(answer.model).toBe(MODEL);
    expect(answer.choices[0]?.message).toMatchObject({ role: 'assistant', content: expect.stringMatching(FRANCE_ANSWER) });
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    const usage = answer.usage;
    expect(usage?.prompt_tokens).toBeGreaterThan(10);
    expect(usage?.completion_tokens).toBeGreaterThan(3);
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
  });

  it('streams the same text that it answers at once', async () => {
    const whole = await client().chat.completions.create(askStory);
    const stream = await client().chat.completions.create({ ...askStory, stream: true });
    const ids = new Set<string>();
    let [text, chunks, reason] = ['', 0, ''];
    for await (const chunk of stream) {
      ids.add(`${chunk.id} ${chunk.created} ${chunk.model} ${chunk.object}`);
      expect(chunk.usage ?? null).toBeNull();
      text += chunk.choices[0]?.delta.content ?? '';
      chunks += chunk.choices[0]?.delta.content ? 1 : 0;
      reason = chunk.choices[0]?.finish_reason ?? reason;
    }
    expect(text).toBe(whole.choices[0]?.message.content);
    expect(ids.size).toBe(1);
    expect(chunks).toBeGreaterThan(5);
    expect(reason).toBe('length');
  });

  it('sends usage in a last chunk of its own when asked to', async () => {
    const stream = await client().chat.completions.create({ ...askFrance, stream: true, stream_options: { include_usage: true } });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const last = chunks.pop();
    expect(last?.choices).toEqual([]);
    expect(last?.usage?.completion_tokens).toBeGreaterThan(3);
    expect(chunks.every((chunk) => chunk.usage === null && chunk.choices.length === 1)).toBe(true);
  });

  it('assembles a stream through the stream helper', async () => {
    const runner = client().chat.completions.stream(askFrance);
    expect(await runner.finalContent()).toMatch(FRANCE_ANSWER);
  });

  it('stops before a stop string and says so', async () => {
    const answer = await client().chat.completions.create({ ...askFrance, stop: ['Paris'] });
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(answer.choices[0]?.message.content).not.toMatch(FRANCE_ANSWER);
    expect(answer.choices[0]?.message.content).toMatch(/capital/);
  });

  it('keeps both token limits', async () => {
    for (const limit of [{ max_tokens: 5 }, { max_tokens: null, max_completion_tokens: 5 }]) {
      const answer = await client().chat.completions.create({ ...askStory, ...limit });
      expect(answer.usage?.completion_tokens).toBe(5);
      expect(answer.choices[0]?.finish_reason).toBe('length');
    }
  });

  it('gives log-probabilities whose tokens make up the text', async () => {
    const answer = await client().chat.completions.create({ ...askFrance, logprobs: true, top_logprobs: 3 });
    const content = answer.choices[0]?.logprobs?.content ?? [];
    expect(content.map((entry) => entry.token).join('')).toBe(answer.choices[0]?.message.content);
    for (const entry of content) {
      expect(entry.logprob).toBeLessThanOrEqual(0);
      expect(entry.top_logprobs).toHaveLength(3);
      // Greedy: the chosen token leads the alternatives.
      expect(entry.top_logprobs[0]?.logprob).toBeCloseTo(entry.logprob, 5);
      expect(entry.top_logprobs.reduce((sum, top) => sum + Math.exp(top.logprob), 0)).toBeLessThanOrEqual(1.000001);
    }
  });

  it('makes n choices, numbered, with usage over all', async () => {
    const answer = await client().chat.completions.create({ ...askStory, n: 3, temperature: 1, seed: 4, max_tokens: 8 });
    expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    expect(answer.usage?.completion_tokens).toBe(24);
    expect(new Set(answer.choices.map((choice) => choice.message.content)).size).toBeGreaterThan(1);
  });

  it('repeats itself for the same seed, and not for another', async () => {
    const sample = async (seed: number): Promise<string | null | undefined> => {
      const answer = await client().chat.completions.create({ ...askStory, temperature: 1, seed, max_tokens: 24 });
      return answer.choices[0]?.message.content;
    };
    const first = await sample(11);
    expect(await sample(11)).toBe(first);
    expect(await sample(12)).not.toBe(first);
  });

  it('understands the developer role and content parts', async () => {
    const answer = await client().chat.completions.create({
      ...askFrance,
      messages: [
        { role: 'developer', content: 'Answer in one sentence.' },
        { role: 'user', content: [{ type: 'text', text: 'Name the capital city of France.' }] },
      ],
    });
    expect(answer.choices[0]?.message.content).toMatch(FRANCE_ANSWER);
  });

  it('parses an answer that follows a JSON schema, in its order of properties', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 20 }, inhabitants: { type: 'integer', minimum: 1, maximum: 99_999_999 } },
      required: ['city', 'inhabitants'],
      additionalProperties: false,
    };
    const answer = await client().chat.completions.parse({
      ...askFrance,
      max_tokens: 100,
      response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema } },
    });
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    const { parsed } = answer.choices[0]?.message ?? {};
    expect(parsed).toEqual({ city: expect.any(String), inhabitants: expect.any(Number) });
    expect(Object.keys(parsed ?? {})).toEqual(['city', 'inhabitants']);
  });

  it('calls a tool when it must, and reads its result', async () => {
    const parameters = {
      type: 'object',
      properties: { city: { enum: ['Paris', 'Rome'] } },
      required: ['city'],
      additionalProperties: false,
    };
    const tools = [{ type: 'function' as const, function: { name: 'weather', description: 'The weather of a city', parameters } }];
    const first = await client().chat.completions.create({
      ...askFrance,
      max_tokens: 100,
      tools,
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
    const message = first.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    if (message === undefined || call?.type !== 'function') throw new Error('No call came.');
    expect(first.choices[0]?.finish_reason).toBe('tool_calls');
    expect(call.function.name).toBe('weather');
    expect(['Paris', 'Rome']).toContain(JSON.parse(call.function.arguments).city);
    const result = { role: 'tool' as const, tool_call_id: call.id, content: 'Sunny, 21 degrees.' };
    const second = await client().chat.completions.create({
      ...askFrance,
      tools,
      tool_choice: 'none',
      messages: [...askFrance.messages, message, result],
    });
    expect(second.choices[0]?.message.content).not.toBe('');
    expect(second.choices[0]?.message.tool_calls).toBeUndefined();
  });

  it('names the keyword of a strict schema that cannot be enforced', async () => {
    const schema = { type: 'object', properties: { all: { type: 'array', uniqueItems: true } } };
    const failure = client().chat.completions.create({
      ...askFrance,
      response_format: { type: 'json_schema', json_schema: { name: 'all', strict: true, schema } },
    });
    await expect(failure).rejects.toMatchObject({ status: 400, message: expect.stringContaining('uniqueItems') });
  });

  it('continues a text, several prompts at once, and echoes them', async () => {
    const prompt = ['The capital of France is', 'Two plus two is'];
    const answer = await client().completions.create({ model: MODEL, prompt, temperature: 0, max_tokens: 6, echo: true });
    expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1]);
    answer.choices.forEach((choice, i) => expect(choice.text.startsWith(prompt[i] ?? '')).toBe(true));
    expect(answer.choices[0]?.text).toMatch(FRANCE_ANSWER);
  });

  it('streams a completion', async () => {
    const stream = await client().completions.create({
      model: MODEL,
      prompt: 'The capital of France is',
      temperature: 0,
      max_tokens: 6,
      stream: true,
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? '';
    expect(text).toMatch(FRANCE_ANSWER);
  });
}
