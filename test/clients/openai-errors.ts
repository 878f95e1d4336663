// OpenAI's npm client: which error class, code and parameter it sees, and what happens when it leaves in mid-stream.
import OpenAI from 'openai';
import { type TestAPI, expect } from 'vitest';
import { openaiClient } from './openai.ts';
import { askFrance, askStory } from './questions.ts';

/** The error that a promise ends with. */
async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('the request should have failed'),
    (error: unknown) => error,
  );
}

export function openaiErrorsSuite(it: TestAPI, baseUrl: () => string): void {
  const client = (): OpenAI => openaiClient(baseUrl());

  it('NotFoundError for a model that is not there', async () => {
    const error = await errorOf(client().chat.completions.create({ ...askFrance, model: 'no-such-model' }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ status: 404, code: 'model_not_found', message: expect.stringContaining('no-such-model') });
    expect(await errorOf(client().models.retrieve('no-such-model'))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('NotFoundError in JSON for a path that is not there', async () => {
    const error = await errorOf(client().vectorStores.list());
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'not_found' });
  });

  it('BadRequestError that names the field', async () => {
    const error = await errorOf(client().chat.completions.create({ ...askFrance, temperature: -1 }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, code: 'invalid_request', param: 'temperature', type: 'invalid_request_error' });
  });

  it('BadRequestError for a prompt longer than the context, with both counts', async () => {
    const content = 'river stone window '.repeat(60_000);
    const error = await errorOf(client().chat.completions.create({ ...askFrance, messages: [{ role: 'user', content }] }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'context_length_exceeded', message: expect.stringMatching(/\d{4,}.*\d{6,}|\d{6,}.*\d{4,}/s) });
  });

  it('BadRequestError by name for what is not supported', async () => {
    const content = [{ type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } }];
    const error = await errorOf(client().chat.completions.create({ ...askFrance, messages: [{ role: 'user', content }] }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'unsupported_parameter', param: expect.stringMatching(/messages|content/) });
  });

  it('a stream cut off by the client ends there, and the server goes on', async () => {
    const controller = new AbortController();
    const stream = await client().chat.completions.create({ ...askStory, max_tokens: 1000, stream: true }, { signal: controller.signal });
    let chunks = 0;
    for await (const _ of stream) {
      chunks += 1;
      if (chunks === 3) controller.abort();
    }
    // A buffered chunk or two may follow the cut, not the hundreds that were asked for.
    expect(chunks).toBeLessThan(100);
    expect((await client().chat.completions.create(askFrance)).choices).toHaveLength(1);
  });

  it('a whole answer can be cut off too', async () => {
    const controller = new AbortController();
    const pending = client().chat.completions.create({ ...askStory, max_tokens: 1000 }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    expect(await errorOf(pending)).toBeInstanceOf(OpenAI.APIUserAbortError);
  });
}
