// The semantic cache: nearest earlier questions, the conditions that must be the same, and what happens without an embedding model.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuestionIndex } from '../../../engine/routing/cache/question-index.ts';
import { PLAIN_SAMPLING } from '../../../engine/runner/protocol.ts';
import { fakeEmbedding } from '../../fakes/host.ts';
import { caching, chat, finish, generate, said } from './caching.ts';

const random = { sampling: { ...PLAIN_SAMPLING, temperature: 1 } };
const on = { semanticSimilarity: 0.95, semanticModel: 'emb' };

/** Asks, lets it be answered, and says how the cache served. */
async function asked(state: ReturnType<typeof caching>, request: Parameters<typeof generate>[1], tenant = 'a') {
  const heard = generate(state.cache, request, { tenant });
  await finish(state.host);
  return { use: heard.reports[0]?.use, similarity: heard.reports[0]?.similarity, text: said(heard), reports: heard.reports.length };
}

describe('similar questions', () => {
  it('have the same answer, also at a temperature, and say how similar they are', async () => {
    let count = 0;
    const state = caching({ settings: on, answer: () => `Answer ${++count}` });
    expect(await asked(state, chat('Why?', random))).toMatchObject({ use: 'miss', text: 'Answer 1' });
    expect(await asked(state, chat('Why?', random))).toEqual({ use: 'semantic', similarity: 1, text: 'Answer 1', reports: 1 });
    // Bytes in another order have another row in the fake.
    expect(await asked(state, chat('Not at all like the first one', random))).toMatchObject({ use: 'miss', text: 'Answer 2' });
  });

  it('must be asked under the same conditions', async () => {
    const state = caching({ settings: on, answer: () => 'Yes.' });
    await asked(state, chat('Why?', random, 'Be brief.'));
    expect((await asked(state, chat('Why?', random))).use).toBe('miss');
    expect((await asked(state, chat('Why?', { ...random, maxTokens: 9 }, 'Be brief.'))).use).toBe('miss');
    expect((await asked(state, chat('Why?', random, 'Be brief.'), 'b')).use).toBe('miss');
    expect((await asked(state, chat('Why?', random, 'Be brief.'))).use).toBe('semantic');
  });

  it('an exact hit comes first, and a deterministic answer serves both ways', async () => {
    const state = caching({ settings: on, answer: () => 'Yes.' });
    await asked(state, chat('Why?'));
    expect((await asked(state, chat('Why?'))).use).toBe('hit');
    expect(state.host.encodeRequests).toHaveLength(1);
  });

  it('are not looked for when nobody set how similar they must be, nor without a model to tell', async () => {
    const off = caching({ answer: () => 'Yes.' });
    expect((await asked(off, chat('Why?', random))).use).toBe('bypass');
    expect(off.host.encodeRequests).toHaveLength(0);
    const none = caching({ settings: { ...on, semanticModel: null }, encoders: {}, answer: () => 'Yes.' });
    expect((await asked(none, chat('Why?', random))).use).toBe('miss');
    const two = caching({
      settings: { ...on, semanticModel: null },
      encoders: { a: fakeEmbedding, b: fakeEmbedding },
      answer: () => 'Yes.',
    });
    await asked(two, chat('Why?', random));
    expect(two.host.encodeRequests).toHaveLength(0);
  });

  it('are answered by the model when the embedding fails, and the log says so', async () => {
    const state = caching({ settings: on, answer: () => 'Yes.' });
    state.host.refuses = () => true;
    expect(await asked(state, chat('Why?', random))).toMatchObject({ use: 'miss', text: 'Yes.' });
    expect(state.log.join()).toMatch(/could not be compared/);
  });

  it('a client that leaves while its question is encoded starts nothing', async () => {
    const state = caching({ settings: on, answer: () => 'Yes.' });
    state.host.encodeGate = new Promise(() => undefined);
    const heard = generate(state.cache, chat('Why?', random));
    heard.generation.cancel();
    await finish(state.host);
    expect([state.host.requests.length, heard.events.length, heard.settled, state.host.cancelled]).toEqual([0, 0, 1, 1]);
  });
});

describe('the index of questions', () => {
  const unit = (numbers: readonly number[]): Float32Array => {
    const norm = Math.hypot(...numbers) || 1;
    return Float32Array.from(numbers, (value) => value / norm);
  };
  const vector = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 100, maxLength: 100 }).map(unit);

  it('finds the nearest one, as a look at every number of every vector does', () => {
    fc.assert(
      fc.property(fc.array(vector, { maxLength: 12 }), vector, fc.double({ min: -0.2, max: 0.4, noNaN: true }), (others, asked, least) => {
        const index = new QuestionIndex();
        others.forEach((other, at) => index.add(`k${at}`, { context: 'c', answer: `a${at}`, vector: other }));
        const cosines = others.map((other) => other.reduce((sum, value, at) => sum + value * (asked[at] ?? 0), 0));
        const best = Math.max(-Infinity, ...cosines);
        const found = index.nearest('c', asked, least);
        if (Math.abs(best - least) < 1e-6) return;
        if (best < least) expect(found).toBeUndefined();
        else expect(found?.similarity).toBeCloseTo(best, 5);
        expect(index.nearest('another', asked, least)).toBeUndefined();
      }),
    );
  });

  it('forgets what is removed, and knows the oldest', () => {
    const index = new QuestionIndex();
    for (const key of ['a', 'b']) index.add(key, { context: 'c', answer: key, vector: unit([1, 0]) });
    expect(index.oldest).toBe('a');
    index.remove('a');
    expect([index.oldest, index.count, index.nearest('c', unit([1, 0]), 0.9)?.key]).toEqual(['b', 1, 'b']);
  });
});
