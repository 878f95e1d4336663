// Rows through the cache: what is given again, what is shared while it is computed, and what never is.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAKE_WIDTH, fakeRow } from '../../fakes/host.ts';
import { type Caching, ON, caching, encode, settle, text } from './caching.ts';

const rowsOf = (words: readonly string[]): number[] => words.flatMap((word) => [...fakeRow(text(word))]);

/** Lets no encode request through until the returned function is called. */
function gate({ host }: Caching): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  host.encodeGate = promise;
  return resolve;
}

describe('rows', () => {
  it('computes a text once, and gives its row again in any company', async () => {
    const { host, cache } = caching();
    const first = await encode(cache, [text('one'), text('two')]);
    expect(first.report.use).toBe('miss');
    expect(first.encoding.cachedTokens).toBe(0);
    const again = await encode(cache, [text('two'), text('one'), text('two')]);
    expect(again.report.use).toBe('hit');
    expect([...again.encoding.values]).toEqual(rowsOf(['two', 'one', 'two']));
    expect(again.encoding).toMatchObject({ width: FAKE_WIDTH, cachedTokens: 9 });
    expect(host.encodeRequests).toHaveLength(1);
  });

  it('asks the model only for what is missing, each text once', async () => {
    const { host, cache } = caching();
    await encode(cache, [text('b')]);
    const { encoding, report } = await encode(cache, ['a', 'b', 'c', 'a'].map(text));
    expect(report.use).toBe('miss');
    expect([...encoding.values]).toEqual(rowsOf(['a', 'b', 'c', 'a']));
    expect(host.encodeRequests[1]?.inputs).toEqual(['a', 'c'].map(text));
    expect(encoding.cachedTokens).toBe(2);
  });

  it('tells texts, pairs and token ids apart, and tenants, unless they share', async () => {
    const { host, cache } = caching();
    const inputs = [
      text('ab'),
      { kind: 'pair', text: 'a', other: 'b' },
      { kind: 'pair', text: '', other: 'ab' },
      { kind: 'tokens', tokens: [97, 98] },
    ] as const;
    for (const input of inputs) expect((await encode(cache, [input])).report.use).toBe('miss');
    expect((await encode(cache, [text('ab')], { tenant: 'b' })).report.use).toBe('miss');
    cache.applySettings({ ...ON, shared: true });
    expect((await encode(cache, [text('ab')], { tenant: 'b' })).report.use).toBe('miss');
    expect((await encode(cache, [text('ab')], { tenant: 'c' })).report.use).toBe('hit');
    expect(host.encodeRequests).toHaveLength(6);
  });

  it('computes anew for no-cache and keeps that; neither reads nor keeps for no-store or when it is off', async () => {
    const { cache, host } = caching();
    expect((await encode(cache, [text('a')], { control: 'off' })).report).toMatchObject({ use: 'bypass', reason: /no-store/ });
    expect(cache.size.entries).toBe(0);
    expect((await encode(cache, [text('a')], { control: 'refresh' })).report.use).toBe('miss');
    expect((await encode(cache, [text('a')], { control: 'refresh' })).report.use).toBe('miss');
    expect((await encode(cache, [text('a')])).report.use).toBe('hit');
    expect((await encode(cache, [text('a'.repeat(1_000_001))])).report).toMatchObject({ use: 'bypass', reason: /long/ });
    cache.applySettings({ ...ON, enabled: false });
    expect((await encode(cache, [text('a')])).report).toMatchObject({ use: 'bypass', reason: /off/ });
    expect(host.encodeRequests).toHaveLength(5);
  });

  it('keeps rows that may have been cut apart from those that were not', async () => {
    const { cache } = caching();
    await encode(cache, [text('a')], { truncate: true });
    expect((await encode(cache, [text('a')])).report.use).toBe('miss');
    expect((await encode(cache, [text('a')], { truncate: true })).report.use).toBe('hit');
    const unloaded = caching({ state: { kind: 'installed' } });
    expect((await encode(unloaded.cache, [text('a')], { truncate: true })).report.use).toBe('bypass');
    expect((await encode(unloaded.cache, [text('a')])).report.use).toBe('miss');
  });

  it('forgets what is older than the settings allow', async () => {
    const state = caching();
    await encode(state.cache, [text('a')]);
    state.nowMs += 24 * 3_600_000 - 1;
    expect((await encode(state.cache, [text('a')])).report.use).toBe('hit');
    state.nowMs += 1;
    expect((await encode(state.cache, [text('a')])).report.use).toBe('miss');
  });
});

describe('concurrent rows', () => {
  it('computes a text once for all who ask at the same time', async () => {
    const state = caching();
    const release = gate(state);
    const first = encode(state.cache, ['a', 'b'].map(text));
    const second = encode(state.cache, ['b', 'c'].map(text));
    const third = encode(state.cache, [text('c')]);
    await settle();
    expect(state.host.encodeRequests.map(({ inputs }) => inputs)).toEqual([['a', 'b'].map(text), [text('c')]]);
    release();
    expect([...(await second).encoding.values]).toEqual(rowsOf(['b', 'c']));
    expect((await Promise.all([first, second, third])).map(({ report }) => report.use)).toEqual(['miss', 'miss', 'coalesced']);
    expect((await third).encoding.cachedTokens).toBe(1);
  });

  it('goes on for the others when the one who began it leaves, and ends with the last', async () => {
    const state = caching();
    const release = gate(state);
    const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()];
    const first = encode(state.cache, [text('a')], { signal: one.signal });
    const second = encode(state.cache, [text('a')], { signal: two.signal });
    one.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    expect(state.host.cancelled).toBe(0);
    release();
    expect([...(await second).encoding.values]).toEqual(rowsOf(['a']));

    gate(state);
    const ends = [two, three].map(({ signal }) => encode(state.cache, [text('b')], { signal }));
    two.abort(new Error('gone'));
    three.abort(new Error('gone too'));
    await Promise.allSettled(ends);
    await settle();
    expect(state.host.cancelled).toBe(1);
    state.host.encodeGate = Promise.resolve();
    expect((await encode(state.cache, [text('b')])).report.use).toBe('miss');
  });

  it('computes alone what another request failed to bring', async () => {
    const state = caching();
    const release = gate(state);
    const first = encode(state.cache, ['a', 'too long'].map(text));
    const second = encode(state.cache, [text('a')]);
    await settle();
    state.host.refuses = (input) => input.kind === 'text' && input.text === 'too long';
    release();
    await expect(first).rejects.toMatchObject({ code: 'context_length_exceeded', param: 'input[1]' });
    const { encoding, report } = await second;
    expect(report.use).toBe('miss');
    expect([...encoding.values]).toEqual(rowsOf(['a']));
  });

  it('names the right input when only some were left to compute', async () => {
    const state = caching();
    await encode(state.cache, [text('a')]);
    state.host.refuses = (input) => input.kind === 'text' && input.text === 'too long';
    await expect(encode(state.cache, ['a', 'b', 'too long'].map(text))).rejects.toMatchObject({ param: 'input[2]', message: /index 2/ });
  });

  it('keeps its own deadline while it waits for another’s rows', async () => {
    const state = caching();
    const release = gate(state);
    const first = encode(state.cache, [text('a')]);
    await expect(encode(state.cache, [text('a')], { deadlineMs: 1 })).rejects.toMatchObject({ code: 'deadline_exceeded' });
    release();
    await first;
  });

  it('gives everybody who stays the rows of their own texts, computes nothing twice, and holds nothing afterwards', async () => {
    const request = fc.record({
      words: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 6 }),
      leaves: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 8 }), async (requests) => {
        const state = caching();
        const release = gate(state);
        const asked = requests.map(({ words, leaves }) => {
          const end = new AbortController();
          return { words, leaves, end, rows: encode(state.cache, words.map(text), { signal: end.signal }) };
        });
        for (const { rows } of asked) rows.catch(() => undefined);
        await settle();
        for (const { leaves, end } of asked) if (leaves) end.abort(new Error('gone'));
        release();
        for (const { words, leaves, rows } of asked) {
          if (leaves) await expect(rows).rejects.toThrow('gone');
          else expect([...(await rows).encoding.values]).toEqual(rowsOf(words));
        }
        const computed = state.host.encodeRequests.flatMap(({ inputs }) => inputs);
        expect(computed).toHaveLength(new Set(requests.flatMap(({ words }) => words)).size);
      }),
      { numRuns: 60 },
    );
  });
});
