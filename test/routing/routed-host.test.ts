import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.ts';
import { FakeHosts } from '../fakes/hosts.ts';
import { answer, chat, routing } from './routing.ts';

const says = (text: string) => ({ answer: () => text });
const died = new EngineError('runner_died', 'The process ended.');

describe('RoutedHost', () => {
  it('sends easy prompts to the smallest model and hard ones to the largest', async () => {
    const hosts = new FakeHosts({ small: says('s'), large: says('l') });
    const host = routing(hosts, { qualityBar: 0.95 });
    expect((await answer(host, chat('auto', 'gain 0.01: hello'))).text).toBe('s');
    const hard = await answer(host, chat('auto', 'gain 0.6: prove it'));
    expect(hard.text).toBe('l');
    expect(hard.reports).toMatchObject([{ name: 'large', tier: 'premium', isDegraded: false, isContinued: false }]);
    expect(hard.reports[0]?.reason).toMatch(/complexity 0\.60/);
  });

  it('pins plain names, follows aliases, and honours a tier that is asked for', async () => {
    const hosts = new FakeHosts({ small: says('s'), large: says('l') });
    const host = routing(hosts, {
      aliases: [
        { name: 'gpt-4o', target: 'large' },
        { name: 'cheap', target: 'auto:fast' },
      ],
    });
    const pinned = await answer(host, chat('small', 'gain 0.6: prove it'));
    expect([pinned.text, pinned.reports]).toEqual(['s', []]);
    expect((await answer(host, chat('gpt-4o', 'hi'))).reports).toMatchObject([{ name: 'large', tier: null, reason: 'gpt-4o means large' }]);
    expect((await answer(host, chat('cheap', 'gain 0.6: prove it'))).text).toBe('s');
    expect((await answer(host, chat('auto:premium', 'hi'))).text).toBe('l');
    expect(host.get('gpt-4o')?.manifest.id).toBe('large');
    expect(host.list().map(({ manifest }) => manifest.id)).toEqual([
      'small',
      'large',
      'auto',
      'auto:fast',
      'auto:balanced',
      'auto:premium',
    ]);
  });

  it('asks the next target when one fails before it has said anything, and says so', async () => {
    const hosts = new FakeHosts({ small: { ...says('s'), failure: { error: died, afterSteps: 0 } }, large: says('l') });
    const host = routing(hosts);
    const { text, events, reports } = await answer(host, chat('auto', 'hi'));
    expect(text).toBe('l');
    expect(events.filter(({ kind }) => kind === 'started')).toHaveLength(1);
    expect(reports).toMatchObject([{ name: 'large', isDegraded: false }]);
    expect(reports[0]?.reason).toContain('small: runner_died; large answers');
    expect(host.decision('req_1')?.attempts).toEqual([
      { target: 'small', outcome: 'runner_died', continued: false },
      { target: 'large', outcome: 'answered', continued: false },
    ]);
  });

  it('says when a weaker model takes over', async () => {
    const hosts = new FakeHosts({ small: says('s'), large: { ...says('l'), failure: { error: died, afterSteps: 0 } } });
    const { text, reports } = await answer(routing(hosts), chat('auto:premium', 'hi'));
    expect([text, reports[0]?.isDegraded]).toEqual(['s', true]);
  });

  it('goes on with what was said when a target breaks off in the middle', async () => {
    const hosts = new FakeHosts({
      small: { answer: () => 'abcdef', failure: { error: died, afterSteps: 3 } },
      large: { answer: () => 'DEF' },
    });
    const host = routing(hosts);
    const { text, events, reports } = await answer(host, chat('auto', 'hi'));
    expect(text).toBe('abcDEF');
    expect(reports).toMatchObject([
      { name: 'small', isContinued: false },
      { name: 'large', isContinued: true },
    ]);
    const asked = hosts.of('large').requests[0];
    expect(asked?.prompt).toMatchObject({ messages: [{ role: 'user' }, { role: 'assistant', content: 'abc' }] });
    expect(asked?.params.maxTokens).toBe(61);
    expect(events.at(-1)).toMatchObject({ kind: 'done', usage: { completionTokens: 6 } });
  });

  it('begins again, rather than go on, where nothing of the answer has left', async () => {
    const hosts = new FakeHosts({ small: { answer: () => 'abcdef', failure: { error: died, afterSteps: 3 } }, large: says('whole') });
    const { events } = await answer(routing(hosts), chat('auto', 'hi', { mayRestart: () => true }));
    const from = events.findLastIndex(({ kind }) => kind === 'started');
    expect(
      events
        .slice(from)
        .map((event) => (event.kind === 'text' ? event.text : ''))
        .join(''),
    ).toBe('whole');
  });

  it('ends in one typed error when every target fails', async () => {
    const failure = { error: died, afterSteps: 0 };
    const hosts = new FakeHosts({ small: { failure }, large: { failure } });
    const { events } = await answer(routing(hosts), chat('auto', 'hi'));
    expect(events).toMatchObject([{ kind: 'error', error: { code: 'runner_died' } }]);
  });

  it('leaves a target alone that keeps failing, and tries it again later', async () => {
    let nowMs = 1_000;
    const hosts = new FakeHosts({ small: { ...says('s'), failure: { error: died, afterSteps: 0 } }, large: says('l') });
    const host = routing(hosts, {}, { now: () => nowMs });
    for (let turn = 0; turn < 5; turn += 1) await answer(host, chat('auto', 'hi'));
    expect(hosts.of('small').requests).toHaveLength(3);
    expect(host.targets()[0]).toMatchObject({ target: 'small', circuit: 'open', failures: 3 });
    hosts.of('small').failure = null;
    nowMs += 10_000;
    expect((await answer(host, chat('auto', 'hi'))).text).toBe('s');
    expect(host.targets()[0]?.circuit).toBe('closed');
  });

  it('moves on from a full queue without holding it against the target', async () => {
    const hosts = new FakeHosts({ small: { ...says('s'), maxWaiting: 0 }, large: says('l') });
    const host = routing(hosts);
    for (let turn = 0; turn < 4; turn += 1) expect((await answer(host, chat('auto', 'hi'))).text).toBe('l');
    expect(host.targets()[0]).toMatchObject({ circuit: 'closed', failures: 0, running: 0 });
  });

  it('frees the slot of a target that says nothing in time, and asks the next', async () => {
    const hosts = new FakeHosts({ small: { ...says('s'), stepMs: null }, large: says('l') });
    const host = routing(hosts, { firstTokenTimeoutMs: 20 });
    expect((await answer(host, chat('auto', 'hi'))).text).toBe('l');
    expect(hosts.of('small').cancelled).toBe(1);
  });

  it('lets a weaker model answer when the better one would take too long, and says so', async () => {
    const hosts = new FakeHosts({ small: says('s'), large: { ...says('l'), slots: 1, stepMs: null } });
    const host = routing(hosts, { latencyGoalMs: 500 });
    const hard = chat('auto', 'gain 0.6: prove it');
    const waiting = [host.generate(hard, () => undefined), host.generate(hard, () => undefined)];
    const { text, reports } = await answer(host, hard);
    expect(text).toBe('s');
    expect(reports).toMatchObject([{ name: 'small', isDegraded: true }]);
    expect(reports[0]?.reason).toContain('large would take');
    for (const generation of waiting) generation.cancel();
  });

  it('settles a cancelled request once, and hears nothing of it afterwards', async () => {
    const hosts = new FakeHosts({ small: { answer: () => 'abcdef' }, large: says('l') });
    const host = routing(hosts);
    let settled = 0;
    const kinds: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const generation = host.generate(chat('auto', 'hi', { onSettled: () => (settled++, resolve()) }), (event) => {
      kinds.push(event.kind);
      if (event.kind === 'text') generation.cancel();
    });
    await promise;
    expect([settled, kinds]).toEqual([1, ['started', 'text']]);
    expect(host.targets()[0]).toMatchObject({ running: 0, circuit: 'closed' });
  });

  it('keeps to the models of the key, and refuses what nobody may answer', async () => {
    const hosts = new FakeHosts({ small: says('s'), large: says('l') });
    const caller = { tenant: 't', keyId: 'k', priority: 'normal', upstreamUsdLeft: null, isDegraded: false } as const;
    const only = (models: readonly string[]) => ({ caller: { ...caller, models } });
    expect((await answer(routing(hosts), chat('auto', 'hi', only(['large'])))).text).toBe('l');
    const { events } = await answer(routing(hosts), chat('auto', 'hi', only(['other'])));
    expect(events).toMatchObject([{ kind: 'error', error: { code: 'no_route' } }]);
  });
});
