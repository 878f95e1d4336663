// Answers through the cache: given again, shared while they are made, and left alone where they are drawn at random.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import { type GenerateEvent, PLAIN_SAMPLING } from '../../../engine/runner/protocol.ts';
import { caching, chat, encode, finish, generate, isOver, said, settle, text } from './caching.ts';

const ANSWER = 'A fine answer.';
const start = () => caching({ answer: () => ANSWER });

describe('answers', () => {
  it('gives a deterministic answer again, with all its parts and no time', async () => {
    const { host, cache } = start();
    const first = generate(cache, chat('Why?', { topLogprobs: 1, n: 2 }));
    await finish(host);
    const again = generate(cache, chat('Why?', { topLogprobs: 1, n: 2 }));
    expect(again.events).toEqual([]);
    await settle();
    expect(host.requests).toHaveLength(1);
    expect([first, again].map(({ reports }) => reports.map(({ use }) => use))).toEqual([['miss'], ['hit']]);
    expect([said(again, 0), said(again, 1)]).toEqual([ANSWER, ANSWER]);
    // The same pieces, so that a stream is the same stream.
    const pieces = (events: readonly GenerateEvent[]): unknown =>
      events.filter(({ kind }) => kind === 'text' || kind === 'finish').map((event) => ({ ...event, id: 0 }));
    expect(pieces(again.events)).toEqual(pieces(first.events));
    const done = again.events.at(-1);
    const promptTokens = 'user: Why?\n'.length;
    expect(done).toMatchObject({ usage: { promptTokens, cachedTokens: promptTokens, completionTokens: 2 * ANSWER.length } });
    expect(done).toMatchObject({ timings: { queueMs: 0, prefillMs: 0, decodeMs: 0, deviceMs: 0 } });
  });

  it('takes another order of a schema’s properties for another question: answers follow it', async () => {
    const { host, cache } = start();
    const properties = { a: { type: 'null' }, b: { type: 'null' } };
    const under = (schema: object) => ({ grammar: { kind: 'json_schema', field: 'f', strict: true, schema } as const });
    const turned = { type: 'object', properties: { b: properties.b, a: properties.a } };
    for (const params of [under({ type: 'object', properties }), under({ type: 'object', properties }), under(turned), {}]) {
      generate(cache, chat('Why?', params));
      await finish(host);
    }
    expect(host.requests).toHaveLength(3);
  });

  it('leaves answers alone that are drawn at random, and takes a seed as reproducible', async () => {
    const { host, cache } = start();
    const random = { sampling: { ...PLAIN_SAMPLING, temperature: 1 } };
    const seeded = { sampling: { ...PLAIN_SAMPLING, temperature: 1, seed: 7 } };
    for (const params of [random, random, seeded, seeded]) {
      generate(cache, chat('Why?', params));
      await finish(host);
    }
    expect(host.requests).toHaveLength(3);
    expect(generate(cache, chat('Why?', random)).reports[0]).toMatchObject({ use: 'bypass', reason: /random/ });
  });

  it('knows requests apart by everything that changes the answer, and by who asks', async () => {
    const { host, cache } = caching({ models: ['fake', 'fake2'], answer: () => ANSWER });
    const requests = [
      chat('Why?'),
      chat('Why? '),
      chat('Why?', {}, 'Be brief.'),
      chat('Why?', { maxTokens: 5 }),
      chat('Why?', { stop: ['x'] }),
      chat('Why?', { topLogprobs: 0 }),
      { ...chat('Why?'), model: 'fake2' },
    ];
    for (const request of requests) generate(cache, request);
    generate(cache, chat('Why?'), { tenant: 'b' });
    await finish(host);
    expect(host.requests).toHaveLength(requests.length + 1);
  });

  it('does not keep what failed', async () => {
    const { host, cache } = start();
    host.failure = { error: new EngineError('runner_died', 'It died.'), afterSteps: 3 };
    const failed = generate(cache, chat('Why?'));
    await finish(host);
    expect(failed.events.at(-1)).toMatchObject({ kind: 'error', error: { code: 'runner_died' } });
    host.failure = null;
    expect(cache.size.entries).toBe(0);
  });

  it('passes on what it knows nothing of', async () => {
    const { host, cache } = start();
    const { cache: _, ...plain } = chat('Why?');
    cache.generate(plain, () => undefined);
    cache.generate(plain, () => undefined);
    await finish(host);
    expect(host.requests).toHaveLength(2);
    expect(await cache.tokenize('fake', { kind: 'text', text: 'ab' })).toEqual([97, 98]);
    expect(cache.list()).toHaveLength(2);
  });
});

describe('concurrent answers', () => {
  it('tells one who comes in the middle all of it from the start', async () => {
    const { host, cache } = start();
    const first = generate(cache, chat('Why?'));
    for (let step = 0; step < 5; step++) host.step();
    const second = generate(cache, chat('Why?'));
    expect(second.reports[0]?.use).toBe('coalesced');
    expect(second.events).toEqual([]);
    await settle();
    expect(said(second)).toBe(ANSWER.slice(0, 5));
    await finish(host);
    expect([said(first), said(second)]).toEqual([ANSWER, ANSWER]);
    expect(host.requests).toHaveLength(1);
    expect(second.events[0]).toMatchObject({ kind: 'started', cachedTokens: 'user: Why?\n'.length });
    expect(first.events[0]).toMatchObject({ kind: 'started', cachedTokens: 0 });
  });

  it('begins anew for all of them when the model’s process dies and nothing has left, and asks all of them', async () => {
    const { host, cache } = start();
    const first = generate(cache, chat('Why?'));
    const second = generate(cache, { ...chat('Why?'), mayRestart: () => false });
    host.step();
    expect(host.requests[0]?.mayRestart?.()).toBe(false);
    await settle();
    second.generation.cancel();
    expect(host.requests[0]?.mayRestart?.()).toBe(true);
    await finish(host);
    expect(said(first)).toBe(ANSWER);
    expect(second.events.every(({ kind }) => kind !== 'done')).toBe(true);
  });

  it('tells everybody of an error once', async () => {
    const { host, cache } = start();
    const heard = [generate(cache, chat('Why?')), generate(cache, chat('Why?'))];
    host.failure = { error: new EngineError('runner_died', 'It died.'), afterSteps: 0 };
    host.step();
    await settle();
    for (const { events } of heard) expect(events.map(({ kind }) => kind)).toEqual(['error']);
  });

  it('charges one of them at a time, and settles whoever leaves', async () => {
    const { host, cache } = start();
    const first = generate(cache, chat('Why?'));
    const second = generate(cache, chat('Why?'));
    const charge = (deviceMs: number): void => host.requests[0]?.onCharge?.(deviceMs);
    charge(3);
    first.generation.cancel();
    expect(first.settled).toBe(1);
    charge(4);
    expect([first.deviceMs, second.deviceMs]).toEqual([3, 4]);
    second.generation.cancel();
    expect([host.cancelled, second.settled]).toEqual([1, 0]);
    charge(1);
    host.requests[0]?.onSettled?.();
    expect([second.deviceMs, second.settled]).toEqual([5, 1]);
  });

  it('a faulty listener does not keep the events from the others', async () => {
    const { host, cache, log } = start();
    const request = chat('Why?');
    const ask = { tenant: 'a', control: 'use', onUse: () => undefined } as const;
    cache.generate({ ...request, cache: ask }, () => {
      throw new Error('a fault of the listener');
    });
    const second = generate(cache, request);
    await finish(host);
    expect(said(second)).toBe(ANSWER);
    expect(log.join()).toContain('a fault of the listener');
  });

  it('whoever stays hears the whole answer once, whoever else joins or leaves; the work ends with the last', async () => {
    const moves = fc.array(fc.oneof(fc.constant('join' as const), fc.constant('step' as const), fc.record({ leave: fc.nat() })), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(moves, async (steps) => {
        const { host, cache } = start();
        let staying = [generate(cache, chat('Why?'))];
        const gone: (typeof staying)[number][] = [];
        for (const move of steps) {
          if (move === 'join') staying.push(generate(cache, chat('Why?')));
          else if (move === 'step') host.step();
          else {
            const leaver = staying[move.leave % Math.max(1, staying.length)];
            if (leaver === undefined || isOver(leaver)) continue;
            staying = staying.filter((heard) => heard !== leaver);
            leaver.generation.cancel();
            gone.push(Object.assign(leaver, { heardBefore: leaver.events.length }));
          }
        }
        await finish(host);
        for (const heard of staying) {
          expect(said(heard)).toBe(ANSWER);
          expect(heard.events.filter(({ kind }) => kind === 'done')).toHaveLength(1);
          expect(heard.events.filter(({ kind }) => kind === 'started')).toHaveLength(1);
          expect(heard.reports).toHaveLength(1);
        }
        for (const heard of gone) expect(heard.events).toHaveLength((heard as typeof heard & { heardBefore: number }).heardBefore);
        expect(host.openCount).toBe(0);
        // Each run of the host ended whole or was cancelled, never both.
        const misses = [...staying, ...gone].filter(({ reports }) => reports[0]?.use === 'miss').length;
        expect(host.requests).toHaveLength(misses);
      }),
      { numRuns: 80 },
    );
  });
});

it('keeps rows and answers beside each other', async () => {
  const { host, cache } = start();
  await encode(cache, [text('Why?')]);
  generate(cache, chat('Why?'));
  await finish(host);
  expect(cache.size.entries).toBe(2);
});
