// An encoder's runner by its messages, on a fake session and the real tokenizer thread: rows, refusals, cancellation, draining, figures.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EncoderRunner } from '../../../engine/runner/encoder/encoder-runner.ts';
import type { EncoderSession, EncoderText } from '../../../engine/runner/encoder/encoder-session.ts';
import { EncoderTokenizer } from '../../../engine/runner/encoder/encoder-tokenizer.ts';
import type { EncodeInput, EncodeParams, FromRunner } from '../../../engine/runner/protocol.ts';
import { COST, hashOf, LIMITS } from './batching.ts';
import { WORD_TOKENIZER, WORDS } from './word-tokenizer.ts';

let folder = '';
const open: EncoderRunner[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-encoder-'));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(WORD_TOKENIZER));
});
afterEach(() => open.splice(0).forEach((runner) => runner.dispose()));
afterAll(() => rm(folder, { recursive: true }));

/** Runs wait for `gate`. */
class GatedEncoder implements EncoderSession {
  readonly width = 1;
  gate: Promise<void> = Promise.resolve();
  readonly batches: number[] = [];

  async run(texts: readonly EncoderText[]): Promise<Float32Array> {
    this.batches.push(texts.length);
    await this.gate;
    return Float32Array.from(texts, ({ tokens }) => hashOf(tokens));
  }

  dispose(): void {
    this.batches.length = 0;
  }
}

function createRunner({ maxRequests = 8 } = {}) {
  const session = new GatedEncoder();
  const messages: FromRunner[] = [];
  let wake: (() => void)[] = [];
  const drained = Promise.withResolvers<void>();
  const tokenizer = new EncoderTokenizer({ file: join(folder, 'tokenizer.json'), maxTokens: 8, vocabSize: WORDS.length });
  const runner = new EncoderRunner(
    { session, tokenizer, cost: COST, limits: LIMITS, maxRequests },
    {
      send: (message) => {
        messages.push(message);
        for (const resolve of wake.splice(0)) resolve();
      },
      drained: () => drained.resolve(),
    },
  );
  open.push(runner);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => wake.push(resolve));
    wake = [];
  };
  const encode = (id: number, inputs: readonly EncodeInput[], params: Partial<EncodeParams> = {}): void =>
    runner.handle({ kind: 'encode', id, inputs, params: { truncate: false, caller: `caller ${id}`, deadlineMs: 60_000, ...params } });
  const rowsOf = (id: number) =>
    messages
      .flatMap((message) =>
        message.kind === 'encoded' ? message.batch.rows.map((row, at) => ({ ...row, value: message.batch.values[at] })) : [],
      )
      .filter((row) => row.id === id);
  const errorOf = (id: number) =>
    messages
      .flatMap((message) => (message.kind === 'events' ? message.events : []))
      .find((event) => event.id === id && event.kind === 'error');
  return { runner, session, messages, until, encode, rowsOf, errorOf, drained: drained.promise };
}

const settledOf = (messages: readonly FromRunner[]): readonly number[] =>
  messages.flatMap((message) => (message.kind === 'charges' ? message.settled : []));

const texts = (count: number): EncodeInput[] =>
  Array.from({ length: count }, (_, at) => ({ kind: 'text', text: 'river '.repeat((at % 5) + 1) }));

describe('the runner of an encoder', () => {
  it('answers every input of a list once, over several batches', async () => {
    const { encode, until, rowsOf, session } = createRunner();
    encode(1, texts(100));
    await until(() => rowsOf(1).length === 100);
    expect(
      rowsOf(1)
        .map(({ input }) => input)
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(rowsOf(1).every(({ input, tokens }) => tokens === (input % 5) + 3)).toBe(true);
    expect(session.batches.length).toBeGreaterThan(10);
    expect(Math.max(...session.batches)).toBeLessThanOrEqual(LIMITS.maxBatchSize);
  });

  it('gives a text the same row in any company', async () => {
    const { encode, until, rowsOf } = createRunner();
    const mill: EncodeInput = { kind: 'text', text: 'mill' };
    encode(1, [mill]);
    encode(2, [...texts(5), mill]);
    await until(() => rowsOf(1).length + rowsOf(2).length === 7);
    expect(rowsOf(2).find(({ input }) => input === 5)?.value).toBe(rowsOf(1)[0]?.value);
  });

  it('refuses a list for the one text that is too long, and names it', async () => {
    const { encode, until, errorOf, rowsOf } = createRunner();
    encode(1, [...texts(40), { kind: 'text', text: 'river '.repeat(9) }]);
    await until(() => errorOf(1) !== undefined);
    expect(errorOf(1)).toMatchObject({ error: { code: 'context_length_exceeded', param: 'input[40]' } });
    encode(2, texts(1));
    await until(() => rowsOf(2).length === 1);
  });

  it('lets others pass a text that takes long to tokenize', async () => {
    const { encode, until, rowsOf } = createRunner();
    encode(1, texts(1));
    await until(() => rowsOf(1).length === 1);
    const order: number[] = [];
    encode(2, [{ kind: 'text', text: `${' '.repeat(4_000_000)}mill` }]);
    encode(3, texts(1));
    await until(() => rowsOf(3).length === 1);
    order.push(...[2, 3].filter((id) => rowsOf(id).length === 1));
    expect(order).toEqual([3]);
  });

  it('refuses more requests than it may have, no texts, and what is no work for it', async () => {
    const { encode, runner, errorOf, until, rowsOf, session } = createRunner({ maxRequests: 1 });
    const gate = Promise.withResolvers<void>();
    session.gate = gate.promise;
    encode(1, texts(1));
    encode(2, texts(1));
    expect(errorOf(2)).toMatchObject({ error: { code: 'queue_full' } });
    gate.resolve();
    await until(() => rowsOf(1).length === 1);
    encode(3, []);
    expect(errorOf(3)).toMatchObject({ error: { code: 'invalid_request', param: 'input' } });
    runner.handle({ kind: 'tokenize', id: 4, prompt: { kind: 'text', text: 'river' } });
    expect(errorOf(4)).toMatchObject({ error: { code: 'invalid_request' } });
  });

  it('refuses what waited past its deadline, and computes none of it', async () => {
    const { encode, errorOf, until, rowsOf, session } = createRunner();
    const gate = Promise.withResolvers<void>();
    session.gate = gate.promise;
    encode(1, texts(1));
    while (session.batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    encode(2, texts(1), { deadlineMs: 1 });
    encode(3, texts(1));
    await new Promise((resolve) => setTimeout(resolve, 30));
    gate.resolve();
    await until(() => rowsOf(3).length === 1 && errorOf(2) !== undefined);
    expect(errorOf(2)).toMatchObject({ error: { code: 'deadline_exceeded' } });
    expect(rowsOf(2)).toEqual([]);
  });

  it('forgets a request that is cancelled, and ends when it is drained', async () => {
    const { encode, runner, messages, session, drained, rowsOf, errorOf } = createRunner();
    const gate = Promise.withResolvers<void>();
    session.gate = gate.promise;
    encode(1, texts(20));
    while (session.batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    runner.handle({ kind: 'cancel', id: 1 });
    runner.handle({ kind: 'drain' });
    encode(2, texts(1));
    expect(errorOf(2)).toMatchObject({ error: { code: 'draining' } });
    expect(settledOf(messages)).toEqual([]);
    gate.resolve();
    await drained;
    // What runs on the device is charged first.
    expect(messages.findIndex(({ kind }) => kind === 'charges')).toBeGreaterThan(messages.findIndex(({ kind }) => kind === 'encoded'));
    expect(settledOf(messages)).toEqual([1]);
    expect(rowsOf(1).length).toBeLessThanOrEqual(LIMITS.maxBatchSize);
    expect(messages.some((message) => message.kind === 'stats' && message.stats.waiting === 0)).toBe(true);
  });

  it('settles a request at once that leaves before any of it runs', async () => {
    const { encode, runner, messages, session, until, rowsOf } = createRunner();
    const gate = Promise.withResolvers<void>();
    session.gate = gate.promise;
    encode(1, texts(1));
    while (session.batches.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    encode(2, texts(1));
    runner.handle({ kind: 'cancel', id: 2 });
    expect(settledOf(messages)).toEqual([2]);
    runner.handle({ kind: 'cancel', id: 2 });
    gate.resolve();
    await until(() => rowsOf(1).length === 1);
    runner.handle({ kind: 'cancel', id: 1 });
    expect(settledOf(messages)).toEqual([2]);
  });

  it('reports its batches', async () => {
    const { encode, until, messages } = createRunner();
    encode(1, texts(30));
    const figures = () => messages.flatMap((message) => (message.kind === 'stats' ? [message.stats] : [])).at(-1);
    await until(() => (figures()?.steps ?? 0) > 0 && figures()?.running === 0);
    expect(figures()).toMatchObject({ prefillTokens: 150, encoder: { tokenBudget: LIMITS.tokenBudget } });
    const { meanBatchSize = 0, meanFill = 0 } = figures()?.encoder ?? {};
    expect(meanBatchSize).toBeCloseTo(30 / (figures()?.steps ?? 1), 6);
    expect(meanFill).toBeCloseTo((meanBatchSize * 5) / LIMITS.tokenBudget, 6);
  });
});
