// Laws of the scheduler, whatever arrives when and whoever leaves: nobody's answer depends on the company, nothing is lost or told
// twice, and memory stays within its budget.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Scheduler } from '../../engine/runner/scheduler.ts';
import type { FakeSession } from './fake-session.ts';
import { createScheduler, expectedTokens, generateParams, type EventLog } from './scheduling.ts';

interface Ask {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly n: number;
  /** Steps after which it arrives, and leaves. */
  readonly arrivesAt: number;
  readonly leavesAt: number;
}

const token = fc.integer({ min: 0, max: 255 });
/** Prompts that share beginnings with others and prompts that do not. */
const prompt = fc.oneof(
  fc.array(token, { minLength: 1, maxLength: 40 }),
  fc
    .tuple(fc.integer({ min: 16, max: 34 }), fc.array(token, { minLength: 0, maxLength: 6 }))
    .map(([shared, tail]) => [...Array.from({ length: shared }, (_, i) => i), ...tail]),
);
const asks: fc.Arbitrary<readonly Ask[]> = fc.array(
  fc.record({
    prompt,
    maxTokens: fc.integer({ min: 1, max: 16 }),
    temperature: fc.constantFrom(0, 1),
    n: fc.constantFrom(1, 1, 1, 2),
    arrivesAt: fc.nat(60),
    leavesAt: fc.oneof(fc.constant(Infinity), fc.nat(80)),
  }),
  { minLength: 1, maxLength: 12 },
);

const paramsOf = ({ maxTokens, temperature, n }: Ask) => generateParams({ maxTokens, n, sampling: { temperature } });

interface Stage {
  readonly scheduler: Scheduler;
  readonly session: FakeSession;
  readonly log: EventLog;
}

/** Plays the asks; arrivals and departures happen in the middle of steps. Returns how many events each had when it left. */
async function play(
  all: readonly Ask[],
  { scheduler, session, log }: Stage,
  after: () => void = () => undefined,
): Promise<Map<number, number>> {
  const left = new Map<number, number>();
  let step = 0;
  const happen = (): void => {
    all.forEach((ask, id) => {
      if (ask.arrivesAt === step) scheduler.submit({ id, promptTokens: Int32Array.from(ask.prompt), params: paramsOf(ask) });
      if (ask.leavesAt === step && ask.leavesAt > ask.arrivesAt) {
        left.set(id, log.of(id).length);
        scheduler.cancel(id);
      }
    });
    step++;
  };
  session.duringStep = happen;
  const lastArrival = Math.max(...all.map((ask) => ask.arrivesAt));
  for (let guard = 0; guard < 20_000; guard++) {
    const busy = await scheduler.step();
    after();
    if (!busy && step > lastArrival) return left;
    if (!busy) happen();
  }
  throw new Error('The scheduler does not come to an end.');
}

function expectWellFormed(log: EventLog, id: number, n: number): void {
  const kinds = log.of(id).map((event) => event.kind);
  expect(kinds[0]).toBe('started');
  expect(kinds.at(-1)).toBe('done');
  expect(kinds.filter((kind) => kind === 'started' || kind === 'done')).toHaveLength(2);
  expect(kinds.filter((kind) => kind === 'finish')).toHaveLength(n);
}

describe('the scheduler, whoever comes and goes', () => {
  it('gives each request the tokens that its own history leads to', async () => {
    await fc.assert(
      fc.asyncProperty(asks, fc.constantFrom(64, 96, 256), async (all, budgetTokens) => {
        const stage = createScheduler({ budgetTokens });
        const { scheduler, session, log } = stage;
        const left = await play(all, stage, () => {
          expect(scheduler.slots.committedTokens).toBeLessThanOrEqual(budgetTokens + session.slotCount * session.tokensPerPage);
        });
        all.forEach((ask, id) => {
          if (left.has(id)) return expect(log.of(id)).toHaveLength(left.get(id) ?? 0);
          expectWellFormed(log, id, ask.n);
          for (let choice = 0; choice < ask.n; choice++)
            expect(log.answer(id, choice).tokens).toEqual(expectedTokens(ask.prompt, paramsOf(ask), choice));
        });
        expect(scheduler.slots.runningCount).toBe(0);
        expect(scheduler.isIdle).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('gives results that are identical to those of the same request alone, where a one-token step rounds otherwise', async () => {
    await fc.assert(
      fc.asyncProperty(asks, async (drawn) => {
        // Beginnings of their own and enough memory: nothing is computed another way than alone.
        const all = drawn.map((ask, id) => ({ ...ask, n: 1, prompt: [id, ...ask.prompt] }));
        const stage = createScheduler({}, { rounds: true });
        const left = await play(all, stage);
        for (const [id, ask] of all.entries()) {
          if (left.has(id)) continue;
          const alone = createScheduler({}, { rounds: true });
          await play([{ ...ask, arrivesAt: 0, leavesAt: Infinity }], alone);
          expect(stage.log.answer(id).tokens).toEqual(alone.log.answer(0).tokens);
        }
      }),
      { numRuns: 60 },
    );
  });
});
