// Moments of the engine by name, as the page's tests and its screenshots show them.
import type { NowSnapshot, SlotUse } from '../../engine/contract.ts';
import { aDevice, aModel, anAlert, aRequest, aRunning, aSnapshot } from './factories.ts';

const slotUse = (slots: number, busy: number): SlotUse[] =>
  Array.from({ length: slots }, (_, slot): SlotUse => {
    if (slot >= busy) return { phase: 'free', usedTokens: 0 };
    return { phase: slot % 5 === 0 ? 'prefill' : 'decode', usedTokens: 200 + slot * 170 };
  });

const GPU = aDevice({
  id: 'gpu0',
  kind: 'gpu',
  name: 'Graphics card',
  utilisation: 0.71,
  memoryUsedBytes: 15.6e9,
  memoryTotalBytes: 16e9,
  powerWatts: { value: 311, source: 'measured', basis: 'Read from the driver.' },
  temperatureCelsius: { value: 74, source: 'measured', basis: 'Read from the driver.' },
});

/** Eight run, 104 wait; three models are loaded, one is not. */
export const heavyLoad = (change: Partial<NowSnapshot> = {}): NowSnapshot =>
  aSnapshot({
    tokensPerSecond: 412,
    queue: { running: 8, waiting: 104, waitP50Ms: 420, waitP99Ms: 3_900 },
    devices: [aDevice({ utilisation: 0.93 }), GPU],
    models: [
      aModel({
        tokensPerSecond: 380,
        running: aRunning({ runningRequests: 8, waitingRequests: 104, slotUse: slotUse(8, 8), kvUsedTokens: 9_120, unloadInMs: null }),
      }),
      aModel({
        id: 'beta',
        precision: 'int4',
        tokensPerSecond: 32,
        running: aRunning({ slots: 16, slotUse: slotUse(16, 5), device: 'gpu0' }),
      }),
      aModel({
        id: 'vectors',
        use: 'embedding',
        running: aRunning({
          slotUse: [],
          batches: { width: 384, meanSize: 6.5, tokenBudget: 512, meanFill: 0.5, meanWaitMs: 3, textsPerSecond: 200 },
        }),
      }),
      aModel({ id: 'gamma', state: 'installed', running: null }),
    ],
    requests: Array.from({ length: 60 }, (_, at) => {
      const runs = at < 8;
      const place = runs
        ? { phase: 'decode', position: null }
        : ({ phase: 'queued', position: at - 7, etaMs: (at - 7) * 400, ttftMs: null } as const);
      return aRequest({ id: `req-${at}`, ...place, waitMs: at * 80 } as Partial<ReturnType<typeof aRequest>>);
    }),
    cost: {
      requests: 4_120,
      perRequestUsd: 0.00042,
      busyUsd: 1.73,
      idleUsd: 0.41,
      upstreamUsd: 0,
      premiumUsd: 3.8,
      savedShare: 0.54,
      measured: false,
    },
    quality: { kind: 'measured', mean: 0.97, plusMinus: 0.01, graded: 412 },
    ...change,
  });

/** The same with an alert, a snoozed alert, and a warning about the server itself. */
export const alerted = (): NowSnapshot =>
  heavyLoad({
    alerts: [anAlert(), anAlert({ id: 'alert-2', name: 'GPU saturated', subject: 'gpu0', snoozedUntilMs: Date.now() + 900_000 })],
    banners: [{ id: 'disk', tone: 'warning', text: 'The history cannot be written: the disk is full.', detail: 'SQLITE_FULL' }],
  });

export const manyModels = (): NowSnapshot =>
  aSnapshot({
    models: Array.from({ length: 200 }, (_, at) => aModel({ id: `model-${at}`, ...(at < 3 ? {} : { state: 'installed', running: null }) })),
  });
