// What each point says of evidence, and what its one click does.
import { describe, expect, it } from 'vitest';
import { trafficOf } from '../../engine/checklist/gather.ts';
import type { Evidence } from '../../engine/checklist/evidence.ts';
import { decideMend, evaluate } from '../../engine/checklist/evaluate.ts';
import { sizingAdvice } from '../../engine/checklist/right-sizing.ts';
import { CHECK_POINTS, type CheckPoint, type DrillReport } from '../../engine/contract.ts';
import { DEFAULT_SETTINGS } from '../../engine/ledger/settings/defaults.ts';
import { applyPatch } from '../../engine/ledger/settings/validate.ts';
import { aModel, aRunning } from '../renderer/factories.ts';
import { anEvidence, DAY_MS, NOW_MS } from './evidence.ts';

const pointOf = (point: CheckPoint, change: Partial<Evidence>) => {
  const item = evaluate(anEvidence(change)).find((one) => one.point === point);
  if (item === undefined) throw new Error(`No point ${point}.`);
  return item;
};
const trafficWith = (change: Partial<Evidence['traffic']>) => ({ traffic: { ...anEvidence().traffic, ...change } });
const settingsWith = (patch: Parameters<typeof applyPatch>[1]) => ({ settings: applyPatch(DEFAULT_SETTINGS, patch) });

const DRILL: DrillReport = {
  startedMs: NOW_MS - 1_000,
  endedMs: NOW_MS,
  forced: false,
  model: 'mill',
  baselineTtftMs: 20,
  passed: true,
  steps: [{ step: 'runner_death', verdict: 'passed', sentence: 'It came back.', recoveryMs: 900, probes: [] }],
};

describe('the checklist', () => {
  it('has ten points, and calls nothing good that nobody measured', () => {
    const items = evaluate(anEvidence());
    expect(items.map(({ point }) => point)).toEqual(CHECK_POINTS);
    expect(items.filter(({ state }) => state === 'good')).toEqual([]);
    expect(pointOf('load_test', {})).toMatchObject({ state: 'bad', figure: 'Never run' });
  });

  it('judges precisions, and names the models that are larger', () => {
    const [small, large] = [aModel({ id: 'small', precision: 'int8' }), aModel({ id: 'large', precision: 'fp32' })];
    expect(pointOf('quantisation', { models: [small] }).state).toBe('good');
    expect(pointOf('quantisation', { models: [large] }).state).toBe('bad');
    const mixed = pointOf('quantisation', { models: [small, large] });
    expect(mixed).toMatchObject({ state: 'attention', figure: '1 of 2 models at INT8 or below' });
    expect(mixed.sentence).toContain('large (FP32)');
  });

  it('judges batching by steps under load, and sees a single slot', () => {
    expect(pointOf('batching', trafficWith({ meanBatchUnderLoad: 3.21 }))).toMatchObject({
      state: 'good',
      figure: '3.2 sequences a step under load',
    });
    expect(pointOf('batching', trafficWith({ meanBatchUnderLoad: 1.1 })).state).toBe('attention');
    expect(pointOf('batching', { models: [aModel({ running: aRunning({ maxSlots: 1 }) })] }).state).toBe('bad');
  });

  it('counts only minutes with two requests at once as load', () => {
    const range = { fromMs: 0, toMs: 3 };
    const hours = {
      range,
      stepMs: 3_600_000,
      of: 'all',
      atMs: [0, 1, 2],
      values: { requests: [3, null, 1], utilisation: [0.2, 0.6, 1] },
    } as const;
    const minutes = {
      range,
      stepMs: 60_000,
      of: 'all',
      atMs: [0, 1, 2],
      values: { running: [1, 2, 4], meanBatch: [1, 3, 5], utilisation: [0.1, null, 0.1] },
    } as const;
    expect(trafficOf(hours, minutes)).toMatchObject({
      requests: 4,
      meanBatchUnderLoad: 4,
      utilisation: 0.4,
      peakUtilisation: 0.6,
      sampledMinutes: 2,
    });
  });

  it('finds old and failed load tests and drills', () => {
    const test = { endedMs: NOW_MS - DAY_MS, passed: true, verdict: 'p99 stayed at 400 ms.' };
    expect(pointOf('load_test', { loadTest: test })).toMatchObject({ state: 'good', figure: 'Passed 1 day ago' });
    expect(pointOf('load_test', { loadTest: { ...test, endedMs: NOW_MS - 40 * DAY_MS } }).state).toBe('attention');
    expect(pointOf('load_test', { loadTest: { ...test, passed: false } }).state).toBe('bad');
    const routing = { tiers: ['fast', 'premium'] as const, targets: 2, routed: 0, quality: { kind: 'not_measured' } as const };
    expect(pointOf('degradation', { routing, drill: DRILL }).state).toBe('good');
    expect(pointOf('degradation', { routing, drill: { ...DRILL, endedMs: NOW_MS - 31 * DAY_MS } }).state).toBe('attention');
    const steps = [{ step: 'full_queue', verdict: 'failed', sentence: 'It hung.', recoveryMs: null, probes: [] }] as const;
    expect(pointOf('degradation', { routing, drill: { ...DRILL, passed: false, steps } })).toMatchObject({
      state: 'bad',
      sentence: 'It hung.',
    });
  });
});

describe('a mend', () => {
  const routing = { tiers: ['fast', 'premium'] as const, targets: 2, routed: 0, quality: { kind: 'not_measured' } as const };
  const costs = { ...anEvidence().costs, total: { ...anEvidence().costs.total, perRequestUsd: 0.001 } };
  const cases: readonly [CheckPoint, Partial<Evidence>][] = [
    ['caching', settingsWith({ cache: { enabled: false } })],
    ['routing', { routing }],
    ['degradation', settingsWith({ routing: { degrade: false } })],
    ['degradation', settingsWith({ routing: { latencyGoalMs: null } })],
    ['utilisation', { ...settingsWith({ idleUnloadMinutes: null }), ...trafficWith({ utilisation: 0.1, peakUtilisation: 0.2 }) }],
    ['cost_and_quality', { routing, costs }],
    [
      'spare_capacity',
      {
        ...settingsWith({ batch: { windows: [{ from: '22:00', to: '06:00' }] } }),
        batches: { rows: 0, spotUsd: 0, interactiveUsd: 0, waiting: 'Batches run between 22:00 and 06:00.' },
      },
    ],
  ];
  it.each(cases)('of %s is a setting that is valid, changes the point, and can be taken back', (point, change) => {
    const evidence = anEvidence(change);
    const mend = decideMend(point, evidence);
    if (mend?.kind !== 'settings') throw new Error(`${point} has no mend by settings.`);
    const settings = applyPatch(evidence.settings, mend.patch);
    expect(settings).not.toEqual(evidence.settings);
    expect(decideMend(point, { ...evidence, settings })).not.toEqual(mend);
    expect(applyPatch(settings, mend.undo)).toEqual(evidence.settings);
  });

  it('is not a load test where the server has none', () => {
    expect(decideMend('load_test', anEvidence())?.kind).toBe('load_test');
    expect(decideMend('load_test', anEvidence({ canLoadTest: false }))).toBeNull();
    expect(pointOf('load_test', { canLoadTest: false }).action?.kind).toBe('advice');
  });

  it('is not offered where it takes more than a click', () => {
    expect(decideMend('quantisation', anEvidence({ models: [aModel({ precision: 'fp32' })] }))).toBeNull();
  });
});

describe('right-sizing', () => {
  it('says what INT8 would free, and does not guess what it costs', () => {
    const models = [aModel({ id: 'large', precision: 'fp32', sizeBytes: 4e9 })];
    const [guess] = sizingAdvice(anEvidence({ models }));
    expect(guess?.sentence).toBe('large at INT8 would free 3 GB; its quality at INT8 was not measured.');
    const variants = [{ model: 'large', precision: 'int8', sizeBytes: 1.2e9, lossShare: 0.004 }];
    expect(sizingAdvice(anEvidence({ models, variants }))[0]?.sentence).toBe(
      'large at INT8 would free 2.8 GB; it would cost 0.4% of quality.',
    );
  });

  it('says how much of the device the load needs, and what another would cost in a month', () => {
    const traffic = trafficWith({ requests: 5, utilisation: 0.12, peakUtilisation: 0.3, sampledMinutes: 600 });
    const sentences = sizingAdvice(anEvidence({ ...traffic, dayDevicesUsd: 1 })).map(({ sentence }) => sentence);
    expect(sentences[0]).toBe(
      'This load needs 0.12 of your device on average and 0.3 in its busiest hour. Half of it stays free at any time.',
    );
    expect(sentences[1]).toBe('The same on a rented T4 would cost $365.00 a month. Your own costs $73.00 a month at the present rate.');
  });

  it('says nothing without history', () => {
    expect(sizingAdvice(anEvidence())).toEqual([]);
  });
});
