// `/v1/rerank`, `/rerank` and `/v1/classify` over a fake host.
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.ts';
import { classList, rerankList } from '../../engine/gateway/routes/response-schemas.ts';
import type { EncoderHead } from '../../engine/models/manifest.ts';
import { fakeEmbedding, fakeRow, type FakeHostOptions } from '../fakes/host.ts';
import { errorOf, post, serving } from './serving.ts';

const classification = (labels: readonly string[], scores: 'softmax' | 'sigmoid' | 'identity' = 'softmax'): EncoderHead => ({
  kind: 'classification',
  pooling: 'cls',
  labels,
  scores,
});
const HEADS = {
  rank: classification(['relevance'], 'identity'),
  mood: classification(['sad', 'glad', 'mad']),
  tags: classification(['a', 'b'], 'sigmoid'),
  emb: fakeEmbedding,
};
const start = (options: FakeHostOptions = {}) => serving({ encoders: HEADS, ...options });

const DOCUMENTS = ['one', { text: 'two' }, 'three', 'four'];
const textOf = (one: string | { text: string }): string => (typeof one === 'string' ? one : one.text);
const logits = DOCUMENTS.map((one) => fakeRow({ kind: 'pair', text: 'q', other: textOf(one) }, 1)[0] ?? 0);
const best = logits.map((_, index) => index).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));

describe('rerank', () => {
  it('orders documents by score, the best first, under both paths', async () => {
    const { url, host } = await start();
    for (const path of ['/v1/rerank', '/rerank']) {
      const body = await (await post(`${url}${path}`, { model: 'rank', query: 'q', documents: DOCUMENTS, return_documents: true })).json();
      expect(Value.Check(rerankList, body)).toBe(true);
      expect(body.results.map(({ index }: { index: number }) => index)).toEqual(best);
      const first = best[0] ?? 0;
      expect(body.results[0]).toEqual({
        index: first,
        relevance_score: 1 / (1 + Math.exp(-(logits[first] ?? 0))),
        document: { text: textOf(DOCUMENTS[first] ?? '') },
      });
    }
    expect(host.encodeRequests[0]?.inputs[1]).toEqual({ kind: 'pair', text: 'q', other: 'two' });
  });

  it('returns the best few, without documents, and raw scores when asked to', async () => {
    const { url } = await start();
    const { results } = await (
      await post(`${url}/v1/rerank`, { model: 'rank', query: 'q', documents: DOCUMENTS, top_n: 2, raw_scores: true })
    ).json();
    expect(results).toEqual(best.slice(0, 2).map((index) => ({ index, relevance_score: logits[index] })));
    const all = await (await post(`${url}/v1/rerank`, { model: 'rank', query: 'q', documents: DOCUMENTS, top_n: 99 })).json();
    expect(all.results).toHaveLength(4);
  });

  it('refuses what cannot be, and names the document', async () => {
    const { url } = await start();
    const cases: readonly (readonly [object, string])[] = [
      [{ query: '' }, 'query'],
      [{ query: undefined }, 'query'],
      [{ documents: [] }, 'documents'],
      [{ documents: Array(2049).fill('a') }, 'documents'],
      [{ documents: ['a', 7] }, 'documents[1]'],
      [{ documents: [{ title: 'a' }] }, 'documents[0]'],
      [{ top_n: 0 }, 'top_n'],
      [{ model: 'emb' }, 'model'],
      [{ model: 'mood' }, 'model'],
      [{ model: 'fake' }, 'model'],
    ];
    for (const [change, param] of cases) {
      const response = await post(`${url}/v1/rerank`, { model: 'rank', query: 'q', documents: DOCUMENTS, ...change });
      expect(await errorOf(response), JSON.stringify(change).slice(0, 60)).toMatchObject({ status: 400, param });
    }
    const error = new EngineError('context_length_exceeded', 'The text at index 2 is too long.', { param: 'input[2]' });
    const { url: failing } = await start({ failure: { error, afterSteps: 0 } });
    expect(await errorOf(await post(`${failing}/rerank`, { model: 'rank', query: 'q', documents: DOCUMENTS }))).toMatchObject({
      param: 'documents[2]',
    });
  });
});

describe('classify', () => {
  it('gives each text its likeliest label, and probabilities that sum to 1', async () => {
    const { url } = await start();
    const body = await (await post(`${url}/v1/classify`, { model: 'mood', input: ['good', 'bad'] })).json();
    expect(Value.Check(classList, body)).toBe(true);
    for (const { probs, scores, label, num_classes } of body.data) {
      expect(num_classes).toBe(3);
      expect(probs.reduce((a: number, b: number) => a + b, 0)).toBeCloseTo(1, 6);
      expect(scores[0]).toEqual({ label, score: Math.max(...probs) });
    }
    expect(body.usage).toEqual({ prompt_tokens: 7, completion_tokens: 0, total_tokens: 7 });
  });

  it('scores each label for itself where a text may have several, and returns the top few', async () => {
    const { url } = await start();
    const { data } = await (await post(`${url}/v1/classify`, { model: 'tags', input: 'x', top_k: 1 })).json();
    const row = fakeRow({ kind: 'text', text: 'x' }, 2);
    expect(data[0].probs).toEqual([...row].map((logit) => 1 / (1 + Math.exp(-logit))));
    expect(data[0].scores).toHaveLength(1);
  });

  it('refuses empty input and models without labels', async () => {
    const { url } = await start();
    for (const [body, param] of [
      [{ input: '' }, 'input[0]'],
      [{ input: [] }, 'input'],
      [{ input: ['a', ''] }, 'input[1]'],
      [{ input: 'a', model: 'emb' }, 'model'],
      [{ input: 'a', model: 'fake' }, 'model'],
    ] as const)
      expect(await errorOf(await post(`${url}/v1/classify`, { model: 'mood', ...body }))).toMatchObject({ status: 400, param });
  });
});
