// The device time of requests with the real model: what they are charged, what their timings say, and what the runner says it worked.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { physicalCores } from '../../engine/fleet/devices.ts';
import { Fleet } from '../../engine/fleet/fleet.ts';
import { forkRunner, RUNNER_ENTRY } from '../../engine/fleet/runner-process.ts';
import { createLog } from '../../engine/log.ts';
import { ModelStore } from '../../engine/models/store/model-store.ts';
import type { GenerateEvent, RunnerStats } from '../../engine/runner/protocol.ts';
import { convertedModel, MODEL, ownDataDir } from '../served.ts';
import { testParams } from './fleet-setup.ts';

let dataDir = '';
let fleet: Fleet;
beforeAll(async () => {
  dataDir = await ownDataDir(await convertedModel());
  fleet = new Fleet({
    store: new ModelStore(dataDir),
    spawn: forkRunner(RUNNER_ENTRY),
    log: createLog('silent'),
    threads: physicalCores(),
    contextLength: 512,
    slots: 4,
    maxRequests: 64,
    speculation: true,
    availableMemoryBytes: () => 2 ** 32,
  });
  await fleet.open();
  await fleet.preload(MODEL);
});
afterAll(async () => {
  await fleet.close(0);
  await rm(dataDir, { recursive: true });
});

interface Played {
  readonly chargedMs: number;
  readonly timedMs: number | null;
}

/** Asks; with `leaves` the request is cancelled at its first text. Resolves when nothing more will be charged. */
function ask(text: string, maxTokens: number, leaves: boolean): Promise<Played> {
  return new Promise((resolve, reject) => {
    let chargedMs = 0;
    const request = { model: MODEL, prompt: { kind: 'text', text } as const, params: testParams(maxTokens) };
    const charging = { onCharge: (ms: number) => (chargedMs += ms), onSettled: () => resolve({ chargedMs, timedMs: null }) };
    const onEvent = (event: GenerateEvent): void => {
      if (event.kind === 'error') reject(new Error(event.error.message));
      if (event.kind === 'done') resolve({ chargedMs, timedMs: event.timings.deviceMs });
      if (event.kind === 'text' && leaves) generation.cancel();
    };
    const generation = fleet.generate({ ...request, ...charging }, onEvent);
  });
}

function stats(): RunnerStats | null {
  const state = fleet.get(MODEL)?.state;
  return state?.kind === 'ready' ? state.stats : null;
}

describe('device time with the real model', () => {
  it('is charged to those who used it, and adds up', async () => {
    const startedMs = performance.now();
    const played = await Promise.all(
      Array.from({ length: 8 }, (_, at) => ask(`${'The mill turns and the water runs. '.repeat(at + 1)}Then`, 12 + at, at % 3 === 2)),
    );
    const elapsedMs = performance.now() - startedMs;
    await expect.poll(() => stats()?.running, { timeout: 10_000 }).toBe(0);
    for (const { chargedMs, timedMs } of played) {
      expect(chargedMs).toBeGreaterThan(0);
      if (timedMs !== null) expect(chargedMs).toBe(timedMs);
    }
    const chargedMs = played.reduce((sum, one) => sum + one.chargedMs, 0);
    expect(chargedMs).toBe(stats()?.busyMs);
    expect(chargedMs).toBeLessThanOrEqual(elapsedMs);
    expect(stats()?.decodeSteps).toBeGreaterThan(0);
    expect(stats()?.slotUse).toHaveLength(4);
  });
});
