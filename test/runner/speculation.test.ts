import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draftLength, lookUp } from '../../engine/runner/speculation.ts';
import { createScheduler, expectedTokens, generateParams, runAll } from './scheduling.ts';

describe('drafting by prompt look-up', () => {
  it('repeats what followed the same tokens the last time', () => {
    expect(lookUp(Int32Array.of(1, 2, 3, 9, 1, 2, 3, 8, 7, 1, 2, 3), 2)).toEqual([8, 7]);
    expect(lookUp(Int32Array.of(5, 2, 3, 9, 1, 2, 3), 4)).toEqual([9, 1, 2, 3]);
    expect(lookUp(Int32Array.of(1, 2, 3, 4), 4)).toEqual([]);
    expect(lookUp(Int32Array.of(1, 7, 8, 7, 8), 5)).toEqual([7, 8, 7, 8, 7]);
    expect(lookUp(Int32Array.of(7, 7, 7, 7), 0)).toEqual([]);
  });

  it('guesses only what pays, and more the surer it is', () => {
    const lengths = [0, 0.1, 0.4, 0.7, 0.95].map(draftLength);
    expect(lengths[0]).toBe(0);
    expect(lengths[1]).toBe(0);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(lengths.at(-1)).toBe(8);
  });

  it('changes no token, whatever is guessed, and stops where the answer ends', async () => {
    const token = fc.integer({ min: 0, max: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(token, { minLength: 2, maxLength: 30 }),
        fc.integer({ min: 1, max: 25 }),
        fc.constantFrom(0, 1),
        async (prompt, maxTokens, temperature) => {
          const { scheduler, log, session } = createScheduler({ speculation: true });
          // Four tokens only, so that patterns repeat and guesses are often right.
          const logitBias = Array.from({ length: 4 }, (_, i) => [i, 50] as const);
          const params = generateParams({ maxTokens, sampling: { temperature, logitBias } });
          scheduler.submit({ id: 1, promptTokens: Int32Array.from(prompt), params });
          await runAll(scheduler);
          expect(log.answer(1).tokens).toEqual(expectedTokens(prompt, params));
          expect(session.steps.length).toBeLessThanOrEqual(maxTokens + 5);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('makes several tokens in one step when guesses are right', async () => {
    const { scheduler, log, session } = createScheduler({ speculation: true });
    const params = generateParams({ maxTokens: 30, sampling: { logitBias: [[7, 100]] } });
    scheduler.submit({ id: 1, promptTokens: Int32Array.of(1, 7, 7, 7, 7), params });
    await runAll(scheduler);
    expect(log.answer(1).tokens).toEqual(Array.from({ length: 30 }, () => 7));
    expect(session.steps.length).toBeLessThan(12);
    const done = log.of(1).at(-1);
    expect(done?.kind === 'done' ? done.timings.acceptedTokens : 0).toBeGreaterThan(15);
  });
});
