// Reranking and classification through all rooms, with tiny models of random weights: a document's score does not depend on its company.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertedData, ownDataDir, type Served, serve } from '../served.ts';
import { errorOf, post } from './serving.ts';

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/encoders', name);
const install = (name: string, family: string) => ({ file: fixture(family), name, precision: 'int8,fp32' });

let served: Served;
beforeAll(async () => {
  const from = await convertedData([
    install('ranker', 'xlm-roberta-classifier'),
    install('classes', 'bert-classifier'),
    install('vectors', 'nomic_bert'),
  ]);
  served = await serve({ dataDir: await ownDataDir(from) });
}, 600_000);
afterAll(async () => {
  await served.stop();
  await rm(served.dataDir, { recursive: true });
});

const DOCUMENTS = ['river', 'a mill beside a river', 'stone', 'the wheel turns and turns and turns', 'grain', 'river and mill'];

interface Ranked {
  readonly results: readonly { readonly index: number; readonly relevance_score: number }[];
  readonly usage: { readonly total_tokens: number };
}

async function rerank(model: string, documents: readonly string[], extra: object = {}): Promise<Ranked> {
  const response = await post(`${served.url}/v1/rerank`, { model, query: 'where is the mill?', documents, raw_scores: true, ...extra });
  expect(response.status).toBe(200);
  return (await response.json()) as Ranked;
}

describe.each(['ranker', 'ranker:fp32'])('%s', (model) => {
  it('gives each document the score that it has alone, the best first', async () => {
    const { results, usage } = await rerank(model, DOCUMENTS);
    expect(results.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(results.map(({ relevance_score }) => relevance_score)).toEqual(
      results.map(({ relevance_score }) => relevance_score).toSorted((a, b) => b - a),
    );
    const alone = await Promise.all(DOCUMENTS.map((document) => rerank(model, [document])));
    for (const { index, relevance_score } of results) expect(alone[index]?.results[0]?.relevance_score).toBe(relevance_score);
    expect(usage.total_tokens).toBe(alone.reduce((sum, one) => sum + one.usage.total_tokens, 0));
  });

  it('names the document that does not fit beside the query, or cuts it', async () => {
    const documents = ['river', 'mill '.repeat(200)];
    const refused = await post(`${served.url}/v1/rerank`, { model, query: 'mill?', documents });
    expect(await errorOf(refused)).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'documents[1]' });
    expect((await rerank(model, documents, { truncate: true })).results).toHaveLength(2);
  });
});

describe('classification', () => {
  it('gives the same probabilities alone and in a list, over both precisions nearly', async () => {
    const classify = async (model: string, input: unknown): Promise<number[][]> => {
      const { data } = (await (await post(`${served.url}/v1/classify`, { model, input })).json()) as { data: { probs: number[] }[] };
      return data.map(({ probs }) => probs);
    };
    const together = await classify('classes', DOCUMENTS);
    const alone = await Promise.all(DOCUMENTS.map(async (text) => (await classify('classes', text))[0]));
    expect(together).toEqual(alone);
    const exact = await classify('classes:fp32', DOCUMENTS);
    together.forEach((probs, at) => {
      expect(probs).toHaveLength(3);
      expect(probs.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
      probs.forEach((probability, label) => expect(Math.abs(probability - (exact[at]?.[label] ?? Number.NaN))).toBeLessThan(0.05));
    });
  });

  it('is not what a model for vectors does, and the other way round', async () => {
    expect(await errorOf(await post(`${served.url}/v1/classify`, { model: 'vectors', input: 'a' }))).toMatchObject({
      status: 400,
      param: 'model',
    });
    expect(await errorOf(await post(`${served.url}/v1/embeddings`, { model: 'classes', input: 'a' }))).toMatchObject({
      status: 400,
      message: /classify/,
    });
    const { data } = (await (await fetch(`${served.url}/v1/models`)).json()) as {
      data: { id: string; use: string; dimensions: number | null }[];
    };
    expect(data.map(({ id, use }) => `${id} ${use}`)).toEqual(['classes classify', 'ranker rerank', 'vectors embedding']);
    expect(data.map(({ dimensions }) => dimensions === null)).toEqual([true, true, false]);
  });
});
