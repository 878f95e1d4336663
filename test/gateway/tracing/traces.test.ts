// What becomes of one request's events: its live line and its record.
import { describe, expect, it } from 'vitest';
import { LOCAL } from '../../../engine/access/caller.ts';
import type { GenerationProgress, ModelState } from '../../../engine/fleet/host.ts';
import type { RequestRecord } from '../../../engine/ledger/ledger.ts';
import type { GenerateEvent } from '../../../engine/runner/protocol.ts';
import type { Accounting } from '../../../engine/gateway/tracing/accounting.ts';
import { AnswerProgress } from '../../../engine/gateway/tracing/answer-progress.ts';
import { RecentWaits } from '../../../engine/gateway/tracing/recent-waits.ts';
import { Traces } from '../../../engine/gateway/tracing/traces.ts';
import { FakeHost } from '../../fakes/host.ts';

const started = (promptTokens = 5): GenerateEvent => ({ kind: 'started', id: 1, promptTokens, cachedTokens: 2, promptLogprobs: null });
const text = (count = 1, choice = 0): GenerateEvent => ({
  kind: 'text',
  id: 1,
  choice,
  text: 'x'.repeat(count),
  tokens: Array.from({ length: count }, () => 7),
  logprobs: null,
});
const done = (completionTokens: number): GenerateEvent => ({
  kind: 'done',
  id: 1,
  usage: { promptTokens: 5, cachedTokens: 2, completionTokens },
  timings: { queueMs: 0, prefillMs: 30, decodeMs: 40, meanBatch: 3, draftedTokens: 0, acceptedTokens: 0, deviceMs: 0 },
});

/** One cent for each ms; premium costs a dollar a token. */
const accounting: Accounting = {
  charge: (_device, deviceMs) => ({ deviceMs, energyJoules: deviceMs * 2, energyUsd: deviceMs / 100, hardwareUsd: deviceMs / 50 }),
  premiumUsd: (promptTokens, completionTokens) => promptTokens + completionTokens,
};

function tracing() {
  const records: RequestRecord[] = [];
  const time = { nowMs: 1_000 };
  const traces = new Traces({
    accounting,
    onRecord: (record) => records.push(record),
    now: () => 1_700_000_000_000,
    clock: () => time.nowMs,
  });
  const trace = traces.begin('req-1', '/v1/chat/completions');
  const at = (nowMs: number, event: GenerateEvent): void => {
    time.nowMs = nowMs;
    trace.take(0, event, nowMs);
  };
  const answered = (): void => {
    const model = new FakeHost().list()[0];
    if (model !== undefined) trace.answeredBy({ model, look: () => model, kind: 'generate' });
  };
  return { records, time, traces, trace, at, answered };
}

describe('the record of a request', () => {
  it('says when what happened, what it took and what it cost', () => {
    const { records, time, traces, trace, at, answered } = tracing();
    trace.askedBy(LOCAL);
    trace.asked({ model: 'fake', stream: true, messages: [] });
    answered();
    const charging = trace.cost.open();
    at(1_100, started());
    at(1_110, text());
    at(1_120, text());
    charging.onCharge(4);
    at(1_140, text(2));
    charging.onCharge(6);
    at(1_150, done(5));
    charging.onSettled();
    time.nowMs = 1_160;
    traces.end(trace, { status: 200, whole: true });
    const { interTokenP50Ms, interTokenP99Ms, ...record } = records[0] ?? expect.fail('no record');
    expect(record).toEqual({
      requestId: 'req-1',
      atMs: 1_700_000_000_000,
      tenant: 'local',
      key: null,
      endpoint: '/v1/chat/completions',
      streamed: true,
      modelAsked: 'fake',
      model: 'fake',
      variant: 'int8',
      precision: 'int8',
      device: 'cpu',
      routeReason: null,
      queueMs: 70,
      loadMs: null,
      prefillMs: 30,
      ttftMs: 110,
      totalMs: 160,
      promptTokens: 5,
      cachedTokens: 2,
      completionTokens: 5,
      meanBatch: 3,
      cache: null,
      deviceMs: 10,
      energyJoules: 20,
      energyUsd: 0.1,
      hardwareUsd: 0.2,
      upstreamUsd: 0,
      premiumUsd: 10,
      status: 200,
      outcome: 'ok',
      errorCode: null,
    });
    // Gaps of 10, and of 20 shared by two tokens.
    expect(interTokenP50Ms).toBeCloseTo(10, 0);
    expect(interTokenP99Ms).toBeCloseTo(10, 0);
  });

  it('waits for the device time of work that was cut short, and takes none afterwards', () => {
    const { records, traces, trace, at, answered } = tracing();
    answered();
    const charging = trace.cost.open();
    at(1_100, started());
    at(1_110, text());
    traces.end(trace, { status: 200, whole: false });
    expect(traces.count()).toEqual({ running: 0, waiting: 0 });
    expect(records).toEqual([]);
    charging.onCharge(7);
    charging.onSettled();
    charging.onSettled();
    charging.onCharge(100);
    traces.flush();
    expect(records).toMatchObject([{ outcome: 'cancelled', deviceMs: 7, completionTokens: 1, totalMs: 110, queueMs: null }]);
    expect(records).toHaveLength(1);
  });

  it('is made at the end of the server, whatever is still to be told', () => {
    const { records, traces, trace } = tracing();
    trace.cost.open();
    trace.failed('runner_died');
    traces.end(trace, { status: 502, whole: true });
    expect(records).toEqual([]);
    traces.flush();
    expect(records).toMatchObject([{ outcome: 'error', errorCode: 'runner_died', status: 502, model: null }]);
  });

  it('knows little of a request that was refused or left before its answer', () => {
    const { records, traces, trace } = tracing();
    trace.asked('no object');
    traces.end(trace, { status: null, whole: false });
    traces.end(trace, { status: 200, whole: true });
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ status: 499, outcome: 'cancelled', modelAsked: '', ttftMs: null, premiumUsd: null, deviceMs: 0 });
  });
});

describe('a live request', () => {
  it('goes from its queue to its tokens', () => {
    const { time, traces, trace, at, answered } = tracing();
    answered();
    trace.standsBy(() => ({ phase: 'queued', position: 3, etaMs: 900 }), 1_000);
    time.nowMs = 1_050;
    expect(traces.list()).toMatchObject([{ phase: 'queued', position: 3, etaMs: 900, waitMs: 50, ageMs: 50, promptTokens: null }]);
    expect(traces.count()).toEqual({ running: 0, waiting: 1 });
    trace.standsBy(() => ({ phase: 'prefill', position: null, etaMs: null }), 1_000);
    time.nowMs = 1_090;
    expect(traces.list()).toMatchObject([{ phase: 'prefill', position: null, waitMs: 50, tokensPerSecond: null }]);
    at(1_100, started());
    at(1_100, text());
    at(1_200, text(10));
    expect(traces.list()).toMatchObject([
      { phase: 'decode', promptTokens: 5, completionTokens: 11, ttftMs: 100, tokensPerSecond: 100, costUsd: 0 },
    ]);
    expect(traces.count()).toEqual({ running: 1, waiting: 0 });
  });

  it('has waited as long as its record will say, from its slot on', () => {
    const { records, time, traces, trace, at, answered } = tracing();
    answered();
    let standing: GenerationProgress = { phase: 'queued', position: 1, etaMs: null };
    // It was submitted 5 ms after its arrival.
    trace.standsBy(() => standing, 1_005);
    time.nowMs = 1_040;
    traces.list();
    standing = { phase: 'prefill', position: null, etaMs: null, waitedMs: 60 };
    time.nowMs = 1_100;
    const [inPrefill] = traces.list();
    standing = { ...standing, phase: 'decode' };
    at(1_120, started());
    at(1_121, text());
    const [inDecode] = traces.list();
    at(1_150, done(1));
    standing = { phase: 'decode', position: null, etaMs: null };
    traces.end(trace, { status: 200, whole: true });
    traces.flush();
    expect([inPrefill?.waitMs, inDecode?.waitMs, records[0]?.queueMs]).toEqual([65, 65, 65]);
  });

  it('has waited no longer than it has been there when it joins what is computed for another', () => {
    const { records, traces, trace, at, answered } = tracing();
    answered();
    trace.standsBy(() => ({ phase: 'decode', position: null, etaMs: null, waitedMs: 9_000 }), 1_000);
    at(1_002, started());
    at(1_003, done(1));
    traces.end(trace, { status: 200, whole: true });
    traces.flush();
    expect(records[0]?.queueMs).toBe(2);
  });

  it.each([
    { what: 'before it came', readyMs: -1_000, loadMs: 0 },
    { what: 'while it waited', readyMs: 40, loadMs: 40 },
    { what: 'again after its start', readyMs: 5_000, loadMs: 65 },
    { what: 'nobody knows when', readyMs: null, loadMs: null },
  ])('knows what of its wait was loading: its model was ready $what', ({ readyMs, loadMs }) => {
    const { records, traces, trace, at } = tracing();
    const model = new FakeHost().list()[0] ?? expect.fail('no model');
    const since = readyMs === null ? {} : { sinceMs: 1_700_000_000_000 + readyMs };
    trace.answeredBy({ model, look: () => ({ ...model, state: { ...model.state, ...since } as ModelState }), kind: 'generate' });
    trace.standsBy(() => ({ phase: 'decode', position: null, etaMs: null, waitedMs: 65 }), 1_000);
    at(1_100, started());
    at(1_150, done(1));
    traces.end(trace, { status: 200, whole: true });
    traces.flush();
    expect(records[0]).toMatchObject({ queueMs: 65, loadMs });
  });

  it('is one of a hundred at most, the oldest first', () => {
    const { traces } = tracing();
    for (let at = 2; at <= 150; at++) traces.begin(`req-${at}`, '/v1/embeddings');
    expect(traces.list().map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, at) => `req-${at + 1}`));
    expect(traces.count().running + traces.count().waiting).toBe(150);
  });
});

describe('AnswerProgress', () => {
  it('forgets what was made of a prompt that begins again, and counts every choice and prompt', () => {
    const progress = new AnswerProgress();
    progress.take(0, started(), 0);
    progress.take(0, text(4), 5);
    progress.take(0, started(), 50);
    progress.take(0, text(1), 60);
    progress.take(0, text(2, 1), 60);
    progress.take(1, started(8), 70);
    expect(progress.tokens).toEqual({ promptTokens: 13, cachedTokens: 4, completionTokens: 3 });
    expect(progress.firstTextMs).toBe(5);
  });
});

describe('RecentWaits', () => {
  it('tells quantiles of the last five minutes in bounded memory', () => {
    const waits = new RecentWaits();
    expect(waits.quantiles(0)).toEqual({ p50: null, p99: null });
    for (let at = 0; at < 100; at++) waits.add(at, at);
    expect(waits.quantiles(100)).toEqual({ p50: 49, p99: 98 });
    expect(waits.quantiles(5 * 60_000 + 50)).toEqual({ p50: 75, p99: 99 });
    for (let at = 0; at < 10_000; at++) waits.add(1e9, 3);
    expect(waits.quantiles(1e9)).toEqual({ p50: 3, p99: 3 });
  });
});
