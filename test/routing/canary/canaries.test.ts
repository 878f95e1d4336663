// Canaries before a routed host over fakes: who answers, what is counted, how they end, and what outlives a restart.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import { Canaries } from '../../../engine/routing/canary/canaries.ts';
import { isInShare } from '../../../engine/routing/canary/conversation.ts';
import { FakeHosts } from '../../fakes/hosts.ts';
import { answer, chat, routing } from '../routing.ts';

const WISH = { model: 'm', variant: 'int4', baseline: 'int8', share: 0.5, leastRequests: 5, quality: 'int4 loses 4.00%.' };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-canary-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function open() {
  const promoted: string[] = [];
  const canaries = new Canaries({
    path: join(folder, 'canaries.json'),
    log: pino({ level: 'silent' }),
    promote: async (model, variant) => void promoted.push(`${model}:${variant}`),
    now: () => 1_000,
  });
  return { canaries, promoted };
}

const says = (text: string) => ({ answer: () => text });
const died = new EngineError('runner_died', 'The process ended.');

describe('a canary', () => {
  it('answers about its share of conversations, each always alike', async () => {
    const { canaries } = open();
    canaries.start({ ...WISH, leastRequests: 1_000 });
    const host = routing(new FakeHosts({ m: says('old'), 'm:int4': says('new') }), {}, { canaries });
    const texts: string[] = [];
    for (let at = 0; at < 60; at++) texts.push((await answer(host, chat('m', `question ${at}`))).text);
    const share = texts.filter((text) => text === 'new').length / texts.length;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.75);
    const { running } = canaries.of('m');
    expect((running?.canary.requests ?? 0) + (running?.baseline.requests ?? 0)).toBe(60);
    for (let at = 0; at < 10; at++) expect((await answer(host, chat('m', `question ${at}`))).text).toBe(texts[at]);
  });

  it('keeps a conversation that grows, and tells who answered and why', async () => {
    const first = { role: 'user', content: 'Hello.' };
    const more = [first, { role: 'assistant', content: 'Hi.' }, { role: 'user', content: 'And?' }];
    const prompt = (messages: readonly { role: string; content: string }[]) => ({
      kind: 'chat' as const,
      messages,
      tools: null,
      templateOptions: {},
    });
    for (let at = 0; at < 50; at++) {
      const salt = `canary ${at}`;
      expect(isInShare({ prompt: prompt([first]) }, salt, 0.5)).toBe(isInShare({ prompt: prompt(more) }, salt, 0.5));
    }
    const { canaries } = open();
    canaries.start({ ...WISH, share: 1 });
    const host = routing(new FakeHosts({ m: says('old'), 'm:int4': says('new') }), {}, { canaries });
    expect((await answer(host, chat('m', 'hi'))).reports).toMatchObject([
      { name: 'm:int4', reason: 'a canary: int4 answers 100% of conversations' },
    ]);
  });

  it('is taken back when it fails, and no client sees the failures', async () => {
    const { canaries, promoted } = open();
    canaries.start(WISH);
    const hosts = new FakeHosts({ m: says('old'), 'm:int4': { ...says('new'), failure: { error: died, afterSteps: 0 } } });
    const host = routing(hosts, {}, { canaries });
    for (let at = 0; at < 40; at++) expect((await answer(host, chat('m', `question ${at}`))).text).toBe('old');
    const { running, ended } = canaries.of('m');
    expect(running).toBeNull();
    expect(ended).toMatchObject([
      { endedMs: 1_000, verdict: { kind: 'rollback', reason: expect.stringContaining('more than chance') as string } },
    ]);
    expect(promoted).toEqual([]);
  });

  it('is promoted by its rule, once', async () => {
    const { canaries, promoted } = open();
    canaries.start(WISH);
    const { onOutcome } = canaries.routeOf('m', chat('m', 'hi')) ?? { onOutcome: () => undefined };
    const measured = {
      ttftMs: 40,
      totalMs: 110,
      usd: 0,
      usage: { promptTokens: 8, cachedTokens: 0, completionTokens: 11 },
      timings: { queueMs: 10, prefillMs: 30, decodeMs: 70, meanBatch: 1, draftedTokens: 0, acceptedTokens: 0, deviceMs: 100 },
    };
    for (let at = 0; at < 10; at++) onOutcome('m', { kind: 'answered', measured });
    expect(canaries.of('m').running?.baseline).toEqual({ variant: 'int8', requests: 10, failures: 0, ttftMs: 30, tokenMs: 7 });
    for (let at = 0; at < 7; at++) onOutcome('m:int4', { kind: 'answered', measured });
    expect(promoted).toEqual(['m:int4']);
    expect(canaries.of('m')).toMatchObject({ running: null, ended: [{ canary: { requests: 5 }, verdict: { kind: 'promote' } }] });
    expect(canaries.routeOf('m', chat('m', 'hi'))).toBeNull();
  });

  it('outlives a restart, and is stopped by hand', () => {
    open().canaries.start(WISH);
    const { canaries } = open();
    expect(canaries.of('m').running).toMatchObject({ share: 0.5, canary: { variant: 'int4', requests: 0 }, verdict: { kind: 'wait' } });
    expect(() => canaries.start(WISH)).toThrow(/runs already/);
    canaries.stop('m');
    expect(canaries.of('m').ended).toMatchObject([{ verdict: { kind: 'stopped' } }]);
    expect(() => canaries.stop('m')).toThrow(/No canary/);
    expect(open().canaries.of('m').running).toBeNull();
  });
});
