// Laws of device time: shares add up exactly, and what requests are charged is what the device worked, whoever comes and leaves.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanBatchSince, shareTime, takeCharges } from '../../engine/runner/device-time.ts';
import type { Charge } from '../../engine/runner/protocol.ts';
import { createScheduler, generateParams } from './scheduling.ts';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const weights = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 40 });

describe('the shares of a step', () => {
  it('add up to its time exactly, in any order, and follow the weights', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e5, noNaN: true }), weights, (ms, parts) => {
        const shares = shareTime(ms, parts);
        expect(sum(shares)).toBe(sum(shares.toReversed()));
        expect(Math.abs(sum(shares) - ms)).toBeLessThanOrEqual(2 ** -21);
        shares.forEach((share, at) => expect(Math.abs(share - (ms * (parts[at] ?? 0)) / sum(parts))).toBeLessThan(2 ** -19));
      }),
    );
  });

  it('are told once', () => {
    const payer = { id: 1, deviceMs: 3, toldMs: 1 };
    expect(takeCharges([payer, { id: 2, deviceMs: 0, toldMs: 0 }])).toEqual([{ id: 1, deviceMs: 2 }]);
    expect(takeCharges([payer])).toEqual([]);
  });

  it('know the mean batch between two readings', () => {
    expect(meanBatchSince({ decodeSteps: 2, decodeTokens: 5 }, { decodeSteps: 4, decodeTokens: 12 })).toBe(3.5);
    expect(meanBatchSince({ decodeSteps: 2, decodeTokens: 5 }, { decodeSteps: 2, decodeTokens: 5 })).toBeNull();
  });
});

interface Ask {
  readonly promptLength: number;
  readonly maxTokens: number;
  readonly n: number;
  readonly arrivesAt: number;
  readonly leavesAt: number;
}

const asks: fc.Arbitrary<readonly Ask[]> = fc.array(
  fc.record({
    promptLength: fc.integer({ min: 1, max: 30 }),
    maxTokens: fc.integer({ min: 1, max: 12 }),
    n: fc.constantFrom(1, 1, 2),
    arrivesAt: fc.nat(30),
    leavesAt: fc.oneof(fc.constant(Infinity), fc.nat(40)),
  }),
  { minLength: 1, maxLength: 8 },
);

/** Plays the asks with steps of these durations; a failed step ends its requests. Returns every charge with its place among the events. */
async function play(all: readonly Ask[], durations: readonly number[], failsAt: number) {
  let nowMs = 0;
  let workedMs = 0;
  let step = 0;
  const told: (Charge & { readonly afterLast: boolean })[] = [];
  const settled: number[] = [];
  const ended = new Set<number>();
  const { scheduler, session, log } = createScheduler({
    now: () => nowMs,
    speculation: true,
    emit: (events) => {
      log.events.push(...events);
      for (const event of events) if (event.kind === 'done' || event.kind === 'error') ended.add(event.id);
    },
    onCharges: (charges, ids) => {
      told.push(...charges.map((charge) => ({ ...charge, afterLast: ended.has(charge.id) || settled.includes(charge.id) })));
      settled.push(...ids);
    },
  });
  const happen = (): void => {
    all.forEach(({ promptLength, maxTokens, n, arrivesAt, leavesAt }, id) => {
      const promptTokens = Int32Array.from({ length: promptLength }, (_, at) => (at * 7) % 256);
      if (arrivesAt === step) scheduler.submit({ id, promptTokens, params: generateParams({ maxTokens, n }) });
      if (leavesAt === step) scheduler.cancel(id);
    });
    step++;
  };
  session.duringStep = () => {
    const ms = durations[step % durations.length] ?? 1;
    nowMs += ms;
    workedMs += ms;
    happen();
    if (step === failsAt) throw new Error('The device was lost.');
  };
  for (let guard = 0; guard < 3000; guard++) {
    const busy = await scheduler.step();
    if (guard % 5 === 0) told.push(...scheduler.takeCharges().map((charge) => ({ ...charge, afterLast: ended.has(charge.id) })));
    if (!busy && step > 40) return { scheduler, log, told, settled, ended, workedMs };
    if (!busy) happen();
  }
  throw new Error('The scheduler does not come to an end.');
}

describe('device time of a scheduler', () => {
  it('is charged to requests to the last bit, before their last event, and in agreement with their timings', async () => {
    const duration = fc.double({ min: 0.001, max: 900, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        asks,
        fc.array(duration, { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 5, max: 80 }),
        async (all, durations, failsAt) => {
          const { scheduler, log, told, settled, ended, workedMs } = await play(all, durations, failsAt);
          expect(sum(told.map(({ deviceMs }) => deviceMs))).toBe(scheduler.busyMs);
          expect(scheduler.busyMs).toBeCloseTo(workedMs, 3);
          expect(told.filter(({ afterLast, deviceMs }) => afterLast || deviceMs <= 0)).toEqual([]);
          for (const event of log.events) {
            if (event.kind !== 'done') continue;
            const own = told.filter(({ id }) => id === event.id).map(({ deviceMs }) => deviceMs);
            expect(sum(own)).toBe(event.timings.deviceMs);
          }
          expect(new Set(settled).size).toBe(settled.length);
          const left = all.flatMap(({ arrivesAt, leavesAt }, id) =>
            leavesAt >= arrivesAt && leavesAt < Infinity && !ended.has(id) ? [id] : [],
          );
          expect(settled.toSorted((a, b) => a - b)).toEqual(left);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('tells when a request gets its slot, once', async () => {
    const { scheduler, log } = createScheduler({}, { slotCount: 1 });
    for (const id of [1, 2]) scheduler.submit({ id, promptTokens: Int32Array.of(id, 5), params: generateParams({ maxTokens: 2, n: 2 }) });
    expect(log.admitted).toEqual([]);
    while (log.of(1).at(-1)?.kind !== 'done') await scheduler.step();
    expect(log.admitted).toEqual([1]);
    while (await scheduler.step());
    expect(log.admitted).toEqual([1, 2]);
  });

  it('shows each slot as it is', async () => {
    const { scheduler } = createScheduler({ chunkTokens: 4 }, { slotCount: 2 });
    scheduler.submit({ id: 1, promptTokens: Int32Array.from({ length: 6 }, (_, at) => at), params: generateParams({ maxTokens: 2 }) });
    await scheduler.step();
    expect(scheduler.slots.use()).toEqual([
      { phase: 'prefill', usedTokens: 4 },
      { phase: 'free', usedTokens: 0 },
    ]);
    await scheduler.step();
    expect(scheduler.slots.use()[0]).toEqual({ phase: 'decode', usedTokens: 6 });
    while (await scheduler.step());
    expect(scheduler.slots.use()[0]).toEqual({ phase: 'free', usedTokens: 7 });
  });
});
