// Laws of the batcher, whatever arrives when and whoever leaves: nothing is lost or told twice, every row is its text's own, limits hold,
// nobody waits past a deadline or longer than allowed while the device is free, and callers share the device evenly.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchMs } from '../../../engine/runner/encoder/cost.ts';
import { COST, createBatcher, hashOf, LIMITS, textOf } from './batching.ts';

interface Ask {
  readonly atMs: number;
  readonly caller: number;
  readonly lengths: readonly number[];
  readonly deadlineMs: number;
  /** After its arrival; Infinity: stays. */
  readonly leavesAfterMs: number;
}

const ask: fc.Arbitrary<Ask> = fc.record({
  atMs: fc.double({ min: 0, max: 120, noNaN: true }),
  caller: fc.nat(3),
  lengths: fc.array(fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 60 }) }, fc.integer({ min: 150, max: 300 })), {
    minLength: 1,
    maxLength: 12,
  }),
  deadlineMs: fc.oneof(fc.constant(1e6), fc.integer({ min: 1, max: 200 })),
  leavesAfterMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 80 })),
});
const asks = fc.array(ask, { minLength: 1, maxLength: 24 });

/** Plays arrivals and departures in the order of their times, then runs until nothing is left. */
async function play(all: readonly Ask[]) {
  const stage = createBatcher();
  const left = new Map<number, number>();
  const events = all.flatMap((one, id) => [
    { atMs: one.atMs, happen: () => arrive(one, id) },
    ...(Number.isFinite(one.leavesAfterMs) ? [{ atMs: one.atMs + one.leavesAfterMs, happen: () => leave(id) }] : []),
  ]);
  const arrive = ({ caller, lengths, deadlineMs }: Ask, id: number): void => {
    const texts = lengths.map((length, input) => textOf(id, input, length));
    stage.submit({ id, caller: String(caller), arrivedMs: stage.clock.nowMs, deadlineMs: stage.clock.nowMs + deadlineMs, first: 0, texts });
  };
  const leave = (id: number): void => {
    left.set(id, stage.clock.nowMs);
    stage.batcher.drop(id);
  };
  for (const { atMs, happen } of events.toSorted((a, b) => a.atMs - b.atMs)) {
    await stage.clock.advance(atMs);
    happen();
  }
  await stage.clock.advance(Infinity);
  return { ...stage, left };
}

describe('the batcher', () => {
  it('loses nothing, tells nothing twice, and gives every text its own row', async () => {
    await fc.assert(
      fc.asyncProperty(asks, async (all) => {
        const { rows, refusals, left, batcher } = await play(all);
        expect(batcher.isIdle).toBe(true);
        const keys = rows.map(({ id, input }) => `${id}/${input}`);
        expect(new Set(keys).size).toBe(keys.length);
        for (const { id, input, value } of rows) expect(value).toBe(hashOf(textOf(id, input, all[id]?.lengths[input] ?? 0).tokens));
        const refused = new Set(refusals.map(({ id }) => id));
        expect(refused.size).toBe(refusals.length);
        all.forEach(({ lengths }, id) => {
          if (refused.has(id) || left.has(id)) return;
          expect(rows.filter((row) => row.id === id)).toHaveLength(lengths.length);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the limits of a batch, and runs nothing for those who had left before it began', async () => {
    await fc.assert(
      fc.asyncProperty(asks, async (all) => {
        const { session, rows, left } = await play(all);
        for (const { tokenCounts } of session.runs) {
          expect(tokenCounts.length).toBeLessThanOrEqual(LIMITS.maxBatchSize);
          if (tokenCounts.length > 1) expect(tokenCounts.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(LIMITS.tokenBudget);
        }
        for (const { id, atMs } of rows) {
          const run = session.runs.find(({ endedMs }) => Math.abs(endedMs - atMs) < 1e-6);
          expect(run?.startedMs ?? Infinity).toBeLessThanOrEqual(left.get(id) ?? Infinity);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('charges the time of each batch to its texts by tokens, to the last bit', async () => {
    await fc.assert(
      fc.asyncProperty(asks, async (all) => {
        const { session, rows, batcher } = await play(all);
        const charged = rows.reduce((sum, { deviceMs }) => sum + deviceMs, 0);
        expect(charged).toBe(batcher.stats().busyMs);
        const workedMs = session.runs.reduce((sum, { startedMs, endedMs }) => sum + endedMs - startedMs, 0);
        expect(charged).toBeCloseTo(workedMs, 3);
        for (const { startedMs, endedMs, tokenCounts } of session.runs) {
          const perToken = (endedMs - startedMs) / tokenCounts.reduce((a, b) => a + b, 0);
          const own = rows.filter(({ atMs }) => Math.abs(endedMs - atMs) < 1e-6);
          for (const { id, input, deviceMs } of own) expect(deviceMs).toBeCloseTo(perToken * (all[id]?.lengths[input] ?? 0), 3);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('never leaves the device free for longer than company could save, nor past a deadline', async () => {
    await fc.assert(
      fc.asyncProperty(asks, async (all) => {
        const { session, decisions, refusals } = await play(all);
        for (const decision of decisions) {
          if (decision.kind !== 'wait') continue;
          const freeSince = Math.max(0, ...session.runs.map(({ endedMs }) => endedMs).filter((endedMs) => endedMs <= decision.atMs + 1e-6));
          expect(decision.untilMs).toBeLessThanOrEqual(freeSince + COST.baseMs + 1e-6);
        }
        // Whoever is refused as late was late because the device was busy, never because it waited.
        for (const { id, atMs } of refusals) {
          const { atMs: arrivedMs = 0, deadlineMs = 0, lengths = [] } = all[id] ?? {};
          const busyMs = session.runs.reduce(
            (sum, run) => sum + Math.max(0, Math.min(run.endedMs, atMs) - Math.max(run.startedMs, arrivedMs)),
            0,
          );
          const alone = batchMs(COST, lengths.slice(0, 1));
          expect(busyMs).toBeGreaterThanOrEqual(Math.min(deadlineMs, atMs - arrivedMs) - alone - COST.baseMs - 1e-6);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('serves callers that always have work evenly in tokens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 2, maxLength: 5 }), async (lengths) => {
        const { submit, clock, session, rows } = createBatcher();
        lengths.forEach((length, caller) => {
          const texts = Array.from({ length: Math.ceil(4000 / length) }, (_, input) => textOf(caller, input, length));
          submit({ id: caller, caller: String(caller), arrivedMs: 0, deadlineMs: 1e9, first: 0, texts });
        });
        await clock.advance(800);
        expect(session.runs.length).toBeGreaterThan(5);
        const served = lengths.map((length, caller) => length * rows.filter((row) => row.id === caller).length);
        // A batch, and a text of each: what one may be ahead of another by.
        expect(Math.max(...served) - Math.min(...served)).toBeLessThanOrEqual(LIMITS.tokenBudget + 2 * Math.max(...lengths));
      }),
      { numRuns: 60 },
    );
  });
});
