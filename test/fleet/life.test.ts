import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIFE_LIMITS, stepLife, UNLOADED, type Life, type LifeEvent } from '../../engine/fleet/life.ts';
import type { RunnerInfo } from '../../engine/runner/protocol.ts';

const info: RunnerInfo = {
  pid: 1,
  modelId: 'm',
  variant: 'int8',
  precision: 'int8',
  device: 'cpu',
  contextLength: 1,
  maxSlots: 1,
  vocabSize: 1,
  loadMs: 1,
};
const error = { code: 'model_load_failed', message: 'no', param: null, retryAfterSeconds: null } as const;
const LIMITS = { ...LIFE_LIMITS, backoffMs: 100, maxBackoffMs: 1000, maxDeaths: 6, stableMs: 60_000 };

/** Delay before each restart when the process dies again and again. */
function restartDelays(deaths: number): readonly number[] {
  let life: Life = { kind: 'loading', sinceMs: 0, deaths: 0 };
  return Array.from({ length: deaths }, () => {
    const died = stepLife(life, { kind: 'exited', how: 'signal SIGKILL' }, 0, LIMITS);
    life = stepLife(died.life, { kind: 'retryDue' }, 0, LIMITS).life;
    return died.actions.flatMap((action) => (action.kind === 'scheduleRetry' ? [action.delayMs] : []))[0] ?? -1;
  });
}

describe('the life of a model', () => {
  test('restarts at once after the first death, later ones wait twice as long each, and then it is given up', () => {
    expect(restartDelays(6)).toEqual([0, 100, 200, 400, 800, -1]);
  });

  test('forgets earlier deaths when the process was up for a minute', () => {
    const ready: Life = { kind: 'ready', sinceMs: 0, deaths: 4, info };
    expect(stepLife(ready, { kind: 'exited', how: 'x' }, 59_999, LIMITS).life).toMatchObject({ kind: 'backoff', deaths: 5 });
    expect(stepLife(ready, { kind: 'exited', how: 'x' }, 60_000, LIMITS).life).toMatchObject({ kind: 'backoff', deaths: 1 });
  });

  test('answers with the reason of a failed load until it is time to try again', () => {
    const { life } = stepLife({ kind: 'loading', sinceMs: 0, deaths: 0 }, { kind: 'loadFailed', error }, 1000, LIMITS);
    expect(stepLife(life, { kind: 'wanted' }, 1000 + LIMITS.failedMs - 1, LIMITS).actions).toEqual([{ kind: 'failWaiting', error }]);
    expect(stepLife(life, { kind: 'wanted' }, 1000 + LIMITS.failedMs, LIMITS).actions).toEqual([{ kind: 'spawn' }]);
  });

  test('never has two processes: each start follows an end', () => {
    const event: fc.Arbitrary<LifeEvent> = fc.constantFrom<LifeEvent[]>(
      { kind: 'wanted' },
      { kind: 'ready', info },
      { kind: 'loadFailed', error },
      { kind: 'exited', how: 'x' },
      { kind: 'retryDue' },
      { kind: 'unload' },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(10_000))), (events) => {
        let life: Life = UNLOADED;
        let nowMs = 0;
        let hasProcess = false;
        for (const [next, passedMs] of events) {
          nowMs += passedMs;
          const { life: after, actions } = stepLife(life, next, nowMs, LIMITS);
          if (next.kind === 'exited') hasProcess = false;
          for (const action of actions) {
            if (action.kind === 'killProcess') hasProcess = false;
            if (action.kind !== 'spawn') continue;
            expect(hasProcess).toBe(false);
            hasProcess = true;
          }
          life = after;
        }
      }),
    );
  });
});
