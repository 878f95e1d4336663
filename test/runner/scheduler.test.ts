import { describe, expect, it } from 'vitest';
import { rowAfter } from './fake-session.ts';
import { createScheduler, expectedTokens, generateParams, runAll } from './scheduling.ts';

const prompt = (length: number, from = 1): Int32Array => Int32Array.from({ length }, (_, i) => (i * 7 + from) % 250);

describe('the scheduler', () => {
  it('answers one request with what its own tokens lead to', async () => {
    const { scheduler, log } = createScheduler();
    const params = generateParams({ sampling: { temperature: 1 } });
    scheduler.submit({ id: 1, promptTokens: prompt(20), params });
    await runAll(scheduler);
    expect(log.answer(1).tokens).toEqual(expectedTokens([...prompt(20)], params));
    expect(
      log
        .of(1)
        .map((event) => event.kind)
        .filter((kind) => kind !== 'text'),
    ).toEqual(['started', 'finish', 'done']);
  });

  it('lets sequences join and leave in the middle, without changing what they say', async () => {
    const { scheduler, log, session } = createScheduler();
    const lengths = [3, 30, 1, 17, 9, 25];
    lengths.forEach((length, id) =>
      scheduler.submit({ id, promptTokens: prompt(length, id * 31), params: generateParams({ maxTokens: 4 + id * 3 }) }),
    );
    await runAll(scheduler);
    lengths.forEach((length, id) =>
      expect(log.answer(id).tokens).toEqual(expectedTokens([...prompt(length, id * 31)], generateParams({ maxTokens: 4 + id * 3 }))),
    );
    expect(Math.max(...session.steps.map((step) => step.pastLengths.length))).toBeGreaterThan(1);
  });

  it('never lets a running stream wait for more than one chunk', async () => {
    const { scheduler, session } = createScheduler();
    scheduler.submit({ id: 1, promptTokens: prompt(4), params: generateParams({ maxTokens: 40 }) });
    await scheduler.step();
    await scheduler.step();
    for (let id = 2; id < 5; id++) scheduler.submit({ id, promptTokens: prompt(40, id), params: generateParams() });
    await runAll(scheduler);
    const isPrefill = session.steps.map((step) => step.tokens.length > step.pastLengths.length);
    const whileStreaming = isPrefill.slice(1, 42);
    expect(whileStreaming.some((now, i) => now && whileStreaming[i + 1] === true)).toBe(false);
  });

  it('computes a shared beginning once, for running and for finished sequences', async () => {
    const { scheduler, log, session } = createScheduler();
    const shared = [...prompt(32)];
    const asks = [[201], [202, 203], [204, 205, 206]].map((tail) => [...shared, ...tail, 9]);
    asks.forEach((tokens, id) => scheduler.submit({ id, promptTokens: Int32Array.from(tokens), params: generateParams() }));
    await runAll(scheduler);
    asks.forEach((tokens, id) => expect(log.answer(id).tokens).toEqual(expectedTokens(tokens, generateParams())));
    const computed = session.steps
      .filter((step) => step.tokens.length > step.pastLengths.length)
      .reduce((sum, step) => sum + step.tokens.length, 0);
    expect(computed).toBeLessThan(32 + 3 * 8);
    expect(log.of(2).find((event) => event.kind === 'started')).toMatchObject({ cachedTokens: 32 });
  });

  it('continues a conversation in place', async () => {
    const { scheduler, log, session } = createScheduler();
    scheduler.submit({ id: 1, promptTokens: prompt(20), params: generateParams() });
    await runAll(scheduler);
    const next = [...prompt(20), ...log.answer(1).tokens, 5, 6, 7];
    const before = session.steps.length;
    scheduler.submit({ id: 2, promptTokens: Int32Array.from(next), params: generateParams() });
    await runAll(scheduler);
    expect(log.answer(2).tokens).toEqual(expectedTokens(next, generateParams()));
    expect(session.steps[before]).toMatchObject({ firstSlot: 0, pastLengths: Int32Array.of(27) });
  });

  it('makes several choices of one prompt, computing it once', async () => {
    const { scheduler, log, session } = createScheduler();
    const params = generateParams({ n: 3, sampling: { temperature: 1.5 } });
    scheduler.submit({ id: 1, promptTokens: prompt(24), params });
    await runAll(scheduler);
    for (const choice of [0, 1, 2]) expect(log.answer(1, choice).tokens).toEqual(expectedTokens([...prompt(24)], params, choice));
    expect(new Set([0, 1, 2].map((choice) => log.answer(1, choice).text)).size).toBe(3);
    expect(log.of(1).at(-1)).toMatchObject({ kind: 'done', usage: { promptTokens: 24, completionTokens: 24 } });
    expect(session.steps.filter((step) => step.tokens.length > step.pastLengths.length).map((step) => step.tokens.length)).toEqual([
      8, 8, 8, 2, 2,
    ]);
  });

  it('preempts the youngest when KV memory is short, and loses nothing', async () => {
    const { scheduler, log } = createScheduler({ budgetTokens: 64 });
    for (let id = 0; id < 3; id++) scheduler.submit({ id, promptTokens: prompt(12, id * 50), params: generateParams({ maxTokens: 30 }) });
    await runAll(scheduler);
    for (let id = 0; id < 3; id++)
      expect(log.answer(id).tokens).toEqual(expectedTokens([...prompt(12, id * 50)], generateParams({ maxTokens: 30 })));
    expect(scheduler.totals.preemptions).toBeGreaterThan(0);
  });

  it('ends a step early when everyone in it has gone, and says nothing to them', async () => {
    const { scheduler, log, session } = createScheduler();
    scheduler.submit({ id: 1, promptTokens: prompt(40), params: generateParams() });
    session.duringStep = () => scheduler.cancel(1);
    expect(await scheduler.step()).toBe(true);
    session.duringStep = () => undefined;
    expect(await scheduler.step()).toBe(false);
    expect(log.events).toEqual([]);
    expect(scheduler.slots.runningCount).toBe(0);
    scheduler.submit({ id: 2, promptTokens: prompt(40), params: generateParams() });
    await runAll(scheduler);
    expect(log.answer(2).tokens).toEqual(expectedTokens([...prompt(40)], generateParams()));
  });

  it('tells those in a step that failed, and goes on with the others', async () => {
    const { scheduler, log, session } = createScheduler();
    scheduler.submit({ id: 1, promptTokens: prompt(6), params: generateParams() });
    scheduler.submit({ id: 2, promptTokens: prompt(6, 90), params: generateParams() });
    session.duringStep = () => {
      session.duringStep = () => undefined;
      throw new Error('out of luck');
    };
    await runAll(scheduler);
    expect(log.of(1)).toMatchObject([{ kind: 'error', error: { code: 'internal', message: 'out of luck' } }]);
    expect(log.answer(2).tokens).toEqual(expectedTokens([...prompt(6, 90)], generateParams()));
  });

  it('refuses prompts that cannot be answered, with both counts', () => {
    const { scheduler } = createScheduler();
    const submit = (tokens: Int32Array): void => scheduler.submit({ id: 1, promptTokens: tokens, params: generateParams() });
    expect(() => submit(prompt(64))).toThrow(/64 tokens.*prompt has 64/);
    expect(() => submit(new Int32Array(0))).toThrow(/empty/);
    expect(() => submit(Int32Array.of(300))).toThrow(/vocabulary/);
  });

  it('ends an answer where the context ends', async () => {
    const { scheduler, log } = createScheduler();
    scheduler.submit({ id: 1, promptTokens: prompt(60), params: generateParams({ maxTokens: null }) });
    await runAll(scheduler);
    expect(log.answer(1)).toMatchObject({ reason: 'length', tokens: { length: 4 } });
  });

  it('gives the log-probabilities of a prompt without making a token', async () => {
    const { scheduler, log } = createScheduler();
    const params = generateParams({ maxTokens: 0, promptLogprobs: true, topLogprobs: 2 });
    scheduler.submit({ id: 1, promptTokens: prompt(20), params });
    await runAll(scheduler);
    const [started, finish, done] = log.of(1);
    const tokens = [...prompt(20)];
    const logprobs = started?.kind === 'started' ? started.promptLogprobs : null;
    expect(logprobs?.[0]).toBe(null);
    expect(logprobs?.map((entry) => entry?.token ?? null).slice(1)).toEqual(tokens.slice(1));
    const row = rowAfter(tokens.slice(0, 13));
    expect(logprobs?.[13]?.logprob).toBeCloseTo((row.logits[tokens[13] ?? 0] ?? 0) - row.logSumExp, 5);
    expect(logprobs?.[13]?.top.map((entry) => entry.token)).toEqual(Array.from(row.topIndices.subarray(0, 2)));
    expect([finish, done]).toMatchObject([
      { kind: 'finish', reason: 'length' },
      { kind: 'done', usage: { completionTokens: 0 } },
    ]);
  });

  it('gives the memory of kept prefixes back when told to', async () => {
    const { scheduler } = createScheduler();
    scheduler.submit({ id: 1, promptTokens: prompt(20), params: generateParams() });
    await runAll(scheduler);
    expect(scheduler.slots.committedTokens).toBeGreaterThan(0);
    scheduler.slots.evictIdle();
    expect(scheduler.slots.committedTokens).toBe(0);
  });

  it('guesses by prompt look-up without changing what is said', async () => {
    const { scheduler, log } = createScheduler({ speculation: true });
    const repeated = [...prompt(12), ...prompt(12), ...prompt(6)];
    const params = generateParams({ maxTokens: 20, sampling: { temperature: 0.7 } });
    scheduler.submit({ id: 1, promptTokens: Int32Array.from(repeated), params });
    await runAll(scheduler);
    expect(log.answer(1).tokens).toEqual(expectedTokens(repeated, params));
    expect(log.of(1).at(-1)).toMatchObject({ kind: 'done', timings: { draftedTokens: expect.any(Number) as number } });
  });
});
