// A request that begins again on a new process must look to its client as if it had begun once.
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.ts';
import { ChatJson, ChatStream } from '../../engine/gateway/openai/chat-answer.ts';
import { CompletionJson, CompletionStream } from '../../engine/gateway/openai/completion-answer.ts';
import { readSampling } from '../../engine/gateway/openai/sampling.ts';
import { PromptRun, type RunOutcome } from '../../engine/gateway/prompt-run.ts';
import type { GenerateRequest } from '../../engine/fleet/host.ts';
import type { GenerateEvent } from '../../engine/runner/protocol.ts';
import { FakeHost } from '../fakes/host.ts';

const HEAD = { id: 'x', created: 1, model: 'm', system_fingerprint: 'fp' };
const USAGE = { promptTokens: 1, cachedTokens: 0, completionTokens: 1 };
const started: GenerateEvent = { kind: 'started', id: 1, promptTokens: 1, cachedTokens: 0, promptLogprobs: null };
const text = (said: string): GenerateEvent => ({ kind: 'text', id: 1, choice: 0, text: said, tokens: [1], logprobs: null });
const finish: GenerateEvent = { kind: 'finish', id: 1, choice: 0, reason: 'stop', stopString: null };

const chat = { head: HEAD, n: 1, logprobs: false, includeUsage: false };
const completion = {
  head: HEAD,
  prompts: [
    { kind: 'text' as const, text: 'p' },
    { kind: 'text' as const, text: 'q' },
  ],
  n: 1,
  bestOf: 1,
  logprobs: null,
  echo: true,
  includeUsage: false,
};

describe('a stream', () => {
  it('may begin again until text has left, and says its beginning once', () => {
    const stream = new ChatStream(chat);
    expect(stream.frames(0, started)).toContain('"role":"assistant"');
    expect(stream.frames(0, text(''))).toBe('');
    expect(stream.mayRestart()).toBe(true);
    expect(stream.frames(0, started)).toBe('');
    expect(stream.frames(0, text('a'))).toContain('"content":"a"');
    expect(stream.mayRestart()).toBe(false);
  });

  it('judges each prompt of a completion by itself', () => {
    const stream = new CompletionStream(completion);
    expect(stream.frames(0, started) + stream.frames(1, started)).toMatch(/"text":"p"[^]*"text":"q"/);
    stream.frames(0, text('a'));
    expect([stream.mayRestart(0), stream.mayRestart(1)]).toEqual([false, true]);
    expect(stream.frames(1, started)).toBe('');
    expect(stream.frames(1, finish)).toContain('"finish_reason":"stop"');
    expect(stream.mayRestart(1)).toBe(false);
  });
});

describe('a whole answer', () => {
  it('forgets what came before it began again', () => {
    const json = new ChatJson(chat);
    for (const event of [started, text('lost'), started, text('kept'), finish]) json.add(0, event);
    expect(json.body(USAGE)).toMatchObject({ choices: [{ message: { content: 'kept' } }] });
    const texts = new CompletionJson(completion);
    for (const event of [started, text('lost'), started, text('kept'), finish]) texts.add(1, event);
    expect(texts.body(USAGE)).toMatchObject({ choices: [{ text: '' }, { text: 'qkept' }] });
  });
});

describe('PromptRun', () => {
  const sampling = readSampling({}, 256);
  const params = { sampling, maxTokens: 2, stop: [], topLogprobs: null, promptLogprobs: false, n: 1, ignoreEos: false };
  const request = (content: string): GenerateRequest => ({ model: 'fake', prompt: { kind: 'text', text: content }, params });

  function run(host: FakeHost, prompts: number) {
    const outcomes: RunOutcome[] = [];
    const requests = Array.from({ length: prompts }, (_, at) => request(`p${at}`));
    const onEnd = (outcome: RunOutcome): number => outcomes.push(outcome);
    const charging = () => ({ onCharge: () => undefined, onUpstreamUsd: () => undefined, onSettled: () => undefined });
    const mayRestart = (prompt: number): boolean => prompt === 1;
    const started = new PromptRun({ host, requests, inFlight: 3, mayRestart, charging, onEvent: () => undefined, onEnd });
    started.start();
    return { outcomes, run: started };
  }

  it('asks the caller about each prompt, and adds up what all used', () => {
    const host = new FakeHost({ stepMs: null });
    const { outcomes } = run(host, 5);
    expect(host.requests.map(({ mayRestart }) => mayRestart?.())).toEqual([false, true, false]);
    for (let step = 0; step < 6; step++) host.step();
    expect(outcomes).toEqual([{ kind: 'done', usage: { promptTokens: 10, cachedTokens: 0, completionTokens: 10 } }]);
  });

  it('ends once, at the first failure, and takes the others with it', () => {
    const host = new FakeHost({ stepMs: null, failure: { error: new EngineError('runner_died', 'x'), afterSteps: 1 } });
    const { outcomes } = run(host, 5);
    for (let step = 0; step < 6; step++) host.step();
    expect(outcomes).toMatchObject([{ kind: 'failed', error: { code: 'runner_died' } }]);
    expect([host.cancelled, host.openCount]).toEqual([2, 0]);
  });

  it('says nothing after it was cancelled', () => {
    const host = new FakeHost({ stepMs: null });
    const { outcomes, run: cancelled } = run(host, 2);
    expect([cancelled.cancel(), cancelled.cancel()]).toEqual([true, false]);
    host.step();
    expect([outcomes, host.openCount]).toEqual([[], 0]);
  });
});
