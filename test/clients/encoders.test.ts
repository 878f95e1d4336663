// The embedding classes of clients against one real server: OpenAI's two, LangChain's two and LlamaIndex's, side by side.
import { rm } from 'node:fs/promises';
import { OpenAIEmbeddings } from '@langchain/openai';
import { embedMany } from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertedEncoder, ENCODER, ownDataDir, type Served, serve } from '../served.ts';
import { openaiClient } from './openai.ts';
import { pythonSuite } from './python-suite.ts';

let served: Served | undefined;
const baseUrl = (): string => `${served?.url}/v1`;

beforeAll(async () => {
  served = await serve({ dataDir: await ownDataDir(await convertedEncoder()) });
}, 600_000);

afterAll(async () => {
  const result = await served?.stop();
  if (served !== undefined) await rm(served.dataDir, { recursive: true });
  expect(result?.code, served?.output()).toBe(0);
}, 60_000);

/** The first two are near each other, the third is far. */
const TEXTS = ['A cat sleeps on the sofa.', 'A kitten naps on the couch.', 'The bank raised its interest rates.'];

function cosine(a: readonly number[] = [], b: readonly number[] = []): number {
  const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, value, at) => sum + value * (y[at] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function expectMeaning(vectors: readonly (readonly number[])[]): void {
  expect(vectors.map((vector) => vector.length)).toEqual([384, 384, 384]);
  expect(cosine(vectors[0], vectors[1])).toBeGreaterThan(0.6);
  expect(cosine(vectors[0], vectors[2])).toBeLessThan(0.2);
  expect(cosine(vectors[0], vectors[0])).toBeCloseTo(1, 5);
}

describe.concurrent('openai (npm)', { timeout: 120_000 }, () => {
  it('embeds a list, base64 by default, and counts tokens', async () => {
    const { data, usage, model } = await openaiClient(baseUrl()).embeddings.create({ model: ENCODER, input: TEXTS });
    expectMeaning(data.map(({ embedding }) => embedding));
    expect(model).toBe(ENCODER);
    expect(usage.prompt_tokens).toBe(usage.total_tokens);
    expect(usage.total_tokens).toBeGreaterThan(20);
  });

  it('gets the same numbers as floats, and for token ids', async () => {
    const client = openaiClient(baseUrl());
    const [base64, floats] = await Promise.all(
      (['base64', 'float'] as const).map((encoding_format) => client.embeddings.create({ model: ENCODER, input: 'cat', encoding_format })),
    );
    const bytes = Buffer.from(String(base64?.data[0]?.embedding), 'base64');
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual(floats?.data[0]?.embedding);
    // [CLS] cat [SEP]
    const ids = await client.embeddings.create({ model: ENCODER, input: [101, 4937, 102], encoding_format: 'float' });
    expect(ids.data[0]?.embedding).toEqual(floats?.data[0]?.embedding);
  });

  it('reads refusals: dimensions, a text too long by its index, a model that is not there', async () => {
    const { embeddings } = openaiClient(baseUrl());
    const refusal = (body: Partial<OpenAI.EmbeddingCreateParams>): Promise<unknown> =>
      embeddings.create({ model: ENCODER, input: 'cat', ...body }).then(
        () => expect.unreachable('the request should have failed'),
        (error: unknown) => error,
      );
    expect(await refusal({ dimensions: 128 })).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'dimensions' });
    expect(await refusal({ input: ['cat', 'word '.repeat(600)] })).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'input[1]',
    });
    expect(await refusal({ model: 'none' })).toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe.concurrent('LangChain (npm)', { timeout: 120_000 }, () => {
  it('embeds documents and a query', async () => {
    const embeddings = new OpenAIEmbeddings({
      model: ENCODER,
      apiKey: 'none',
      maxRetries: 0,
      batchSize: 2,
      configuration: { baseURL: baseUrl() },
    });
    expectMeaning(await embeddings.embedDocuments(TEXTS));
    const [query, documents] = await Promise.all([embeddings.embedQuery(TEXTS[0] ?? ''), embeddings.embedDocuments(TEXTS)]);
    expect(query).toEqual(documents[0]);
  });
});

describe.concurrent('Vercel AI SDK', { timeout: 120_000 }, () => {
  it('embeds many', async () => {
    const provider = createOpenAICompatible({ name: 'millrace', baseURL: baseUrl() });
    const { embeddings, usage } = await embedMany({ model: provider.embeddingModel(ENCODER), values: TEXTS, maxRetries: 0 });
    expectMeaning(embeddings);
    expect(usage.tokens).toBeGreaterThan(20);
  });
});

describe.concurrent('embedding classes (PyPI)', { timeout: 600_000 }, () => pythonSuite(it, baseUrl, 'embedding_checks.py', ENCODER));
