import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fault } from '../../../engine/ledger/store/fault.ts';
import type { WriteAnswer, WriteBatch } from '../../../engine/ledger/store/messages.ts';
import { Outbox } from '../../../engine/ledger/store/outbox.ts';
import { aRequest, aSample } from './records.ts';

const DONE: WriteAnswer = { kind: 'done', setAside: null, more: false };
const FULL: Fault = { kind: 'disk_full', sentence: 'Full.', detail: '', canRetry: true };
const LIMITS = { requests: 5, samples: 3, alerts: 3, batch: 2 };

function scripted(answers: readonly WriteAnswer[] = []) {
  const script = [...answers];
  const batches: WriteBatch[] = [];
  const outcomes: (readonly [Fault['kind'] | null, number])[] = [];
  const outbox = new Outbox({
    name: 'test',
    limits: LIMITS,
    write: async (batch) => {
      batches.push(batch);
      return script.shift() ?? DONE;
    },
    onOutcome: (fault, lost) => outcomes.push([fault?.kind ?? null, lost]),
  });
  return { outbox, batches, outcomes };
}

const idsOf = (batch: WriteBatch | undefined): readonly string[] => (batch?.requests ?? []).map(({ requestId }) => requestId);

describe('Outbox', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('sends what comes within half a second together', async () => {
    const { outbox, batches } = scripted();
    outbox.addSample(aSample());
    outbox.addRequest(aRequest({ requestId: 'a' }));
    await vi.advanceTimersByTimeAsync(400);
    outbox.addRequest(aRequest({ requestId: 'b' }));
    expect(batches).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(100);
    expect(batches.map((batch) => [idsOf(batch), batch.samples.length])).toEqual([[['a', 'b'], 1]]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(batches).toHaveLength(1);
  });

  it('writes a sample alone within a second', async () => {
    const { outbox, batches } = scripted();
    outbox.addSample(aSample());
    await vi.advanceTimersByTimeAsync(1_000);
    expect(batches).toHaveLength(1);
  });

  it('goes on at once while whole batches wait', async () => {
    const { outbox, batches } = scripted();
    for (const requestId of ['a', 'b', 'c', 'd', 'e']) outbox.addRequest(aRequest({ requestId }));
    await vi.advanceTimersByTimeAsync(501);
    expect(batches.map(idsOf)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    await outbox.flush();
    expect(idsOf(batches[2])).toEqual(['e']);
  });

  it('sends the same batch again after growing pauses, and says when it worked', async () => {
    const { outbox, batches, outcomes } = scripted([
      { kind: 'fault', fault: FULL },
      { kind: 'fault', fault: FULL },
      { kind: 'fault', fault: FULL },
    ]);
    outbox.addRequest(aRequest({ requestId: 'a' }));
    await vi.advanceTimersByTimeAsync(500);
    outbox.addRequest(aRequest({ requestId: 'b' }));
    const counts = [];
    for (const pauseMs of [999, 1, 1_999, 1, 3_999, 1]) {
      await vi.advanceTimersByTimeAsync(pauseMs);
      counts.push(batches.length);
    }
    expect(counts).toEqual([1, 2, 2, 3, 3, 4]);
    expect(new Set(batches.map(({ id }) => id)).size).toBe(1);
    expect(outcomes.at(-1)).toEqual([null, 0]);
    await vi.advanceTimersByTimeAsync(500);
    expect(idsOf(batches.at(-1))).toEqual(['b']);
  });

  it('never pauses longer than half a minute', async () => {
    const { outbox, batches } = scripted(Array.from({ length: 20 }, () => ({ kind: 'fault' as const, fault: FULL })));
    outbox.addRequest(aRequest());
    await vi.advanceTimersByTimeAsync(120_000);
    const before = batches.length;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(batches.length).toBe(before + 1);
  });

  it('holds no more than its limits, drops the oldest and counts them', async () => {
    const { outbox, batches, outcomes } = scripted([{ kind: 'fault', fault: FULL }]);
    outbox.addRequest(aRequest({ requestId: 'first' }));
    await vi.advanceTimersByTimeAsync(500);
    for (let at = 0; at < 8; at++) outbox.addRequest(aRequest({ requestId: `r${at}` }));
    for (let at = 0; at < 4; at++) outbox.addSample(aSample({ atMs: at * 1_000 }));
    expect(outbox.heldCount).toBe(1 + 5 + 3);
    await outbox.flush();
    expect(batches.flatMap(idsOf)).toEqual(['first', 'first', 'r3', 'r4', 'r5', 'r6', 'r7']);
    expect(outcomes[0]).toEqual(['disk_full', 0]);
    expect(outbox.heldCount).toBe(0);
  });

  it('tells how many were lost while it still fails', async () => {
    const { outbox, outcomes } = scripted([
      { kind: 'fault', fault: FULL },
      { kind: 'fault', fault: FULL },
    ]);
    outbox.addRequest(aRequest());
    await vi.advanceTimersByTimeAsync(500);
    for (let at = 0; at < 8; at++) outbox.addRequest(aRequest());
    await vi.advanceTimersByTimeAsync(1_000);
    expect(outcomes).toEqual([
      ['disk_full', 0],
      ['disk_full', 3],
    ]);
  });

  it('gives a batch up that can never be written, and writes the next', async () => {
    const { outbox, batches, outcomes } = scripted([{ kind: 'fault', fault: { ...FULL, kind: 'failed', canRetry: false } }]);
    for (const requestId of ['bad', 'bad too', 'good']) outbox.addRequest(aRequest({ requestId }));
    await vi.advanceTimersByTimeAsync(500);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(batches.map(idsOf)).toEqual([['bad', 'bad too'], ['good']]);
    expect(outcomes).toEqual([
      ['failed', 2],
      [null, 0],
    ]);
  });

  it('stops a flush that fails', async () => {
    const { outbox, batches } = scripted([{ kind: 'fault', fault: FULL }]);
    outbox.addRequest(aRequest());
    await outbox.flush();
    outbox.close();
    expect([batches.length, outbox.heldCount]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(batches).toHaveLength(1);
  });
});
