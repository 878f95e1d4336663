import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertRule, SloSettings } from '../../../engine/contract.ts';
import { DEFAULT_RULES } from '../../../engine/ledger/alerts/default-rules.ts';
import {
  activeAlerts,
  evaluateAlerts,
  NO_ALERTS,
  snoozeAlert,
  type AlertChange,
  type AlertState,
} from '../../../engine/ledger/alerts/evaluate.ts';
import type { Sample } from '../../../engine/ledger/ledger.ts';
import { aDeviceSample, aModelSample, aRequest, aSample } from '../records.ts';

const START = 1_700_000_000_000;
const SLOS: SloSettings = { fallback: { ttftMs: 1_000, interTokenMs: null, totalMs: null }, models: {} };
const QUEUE: AlertRule = {
  id: 'queue',
  name: 'Queue',
  enabled: true,
  metric: 'queueDepth',
  comparison: 'above',
  threshold: 100,
  windowSeconds: 10,
  clearThreshold: 80,
  minLoad: 0,
  indicates: 'It grows.',
  remedy: 'Add slots.',
};

/** Plays a recording second by second: each entry is what the sample of that second holds; null is a second without one. */
function play(rule: AlertRule, seconds: readonly (Partial<Sample> | null)[]) {
  let state: AlertState = NO_ALERTS;
  const samples: Sample[] = [];
  const changes: (AlertChange & { readonly second: number })[] = [];
  seconds.forEach((content, second) => {
    if (content === null) return;
    const sample = aSample({ atMs: START + second * 1000, ...content });
    samples.push(sample);
    const step = evaluateAlerts(state, { samples, requests: [] }, { rules: [rule], slos: SLOS }, sample.atMs);
    state = step.state;
    changes.push(...step.changes.map((change) => ({ ...change, second })));
  });
  return { state, changes, told: changes.map(({ kind, second }) => `${kind} at ${second}`) };
}

const queue = (depth: number): Partial<Sample> => ({ models: [aModelSample({ queueDepth: depth })] });
const repeat = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('evaluateAlerts over recorded samples', () => {
  it('fires once the window is full of evidence, and ends after one window on the other side', () => {
    const { told, changes } = play(QUEUE, [...repeat(30, queue(200)), ...repeat(40, queue(0))]);
    // Samples of 0…8 span 8 of the 9 seconds that ten samples span; at 35 the mean of ten has come down to 80.
    expect(told).toEqual(['fired at 8', 'ended at 45']);
    expect(changes[0]?.alert).toMatchObject({
      ruleId: 'queue',
      subject: 'mill',
      sinceMs: START + 8_000,
      endedMs: null,
      value: 200,
      peak: 200,
      sentence: 'The queue of mill is 200 requests, above the limit of 100 requests. It grows.',
      remedy: 'Add slots.',
    });
    expect(changes[1]?.alert).toMatchObject({ id: changes[0]?.alert.id, endedMs: START + 45_000, peak: 200 });
  });

  it('does not fire for a short peak', () => {
    expect(play(QUEUE, [...repeat(20, queue(0)), ...repeat(3, queue(300)), ...repeat(20, queue(0))]).told).toEqual([]);
  });

  it('is one alert while the value flaps around the threshold', () => {
    const flapping = Array.from({ length: 300 }, (_, second) => queue(second % 40 < 20 ? 130 : 85));
    expect(play(QUEUE, flapping).told).toEqual(['fired at 8']);
  });

  it('keeps the worst value, also for a rule that watches for too little', () => {
    const gpu = (utilisation: number): Partial<Sample> => ({ devices: [aDeviceSample({ device: 'gpu0', utilisation })] });
    const rule: AlertRule = { ...QUEUE, metric: 'gpuUtilisation', comparison: 'below', threshold: 0.3, clearThreshold: 0.4 };
    const { changes, told } = play(rule, [...repeat(20, gpu(0.2)), ...repeat(20, gpu(0.1)), ...repeat(40, gpu(0.9))]);
    expect(told).toEqual(['fired at 8', 'ended at 53']);
    expect(changes[1]?.alert.peak).toBeCloseTo(0.1, 10);
    expect(changes[0]?.alert.sentence).toBe('The utilisation of gpu0 is 20%, below the limit of 30%. It grows.');
  });

  it('judges nothing from a gap, ends an alert that nothing supports any more, and goes on after the gap', () => {
    const { told } = play(QUEUE, [...repeat(20, queue(200)), ...repeat(100, null), ...repeat(60, queue(200))]);
    // Ten seconds into the new samples the window is full again before the alert's end is due.
    expect(told).toEqual(['fired at 8']);
    const gone = play(QUEUE, [...repeat(20, queue(200)), ...repeat(40, { models: [] })]);
    // At 21 what is left of the samples spans too little.
    expect(gone.told).toEqual(['fired at 8', 'ended at 31']);
  });

  it('survives a clock that is set back, and one that is set forward', () => {
    const back = [
      ...Array.from({ length: 20 }, (_, at) => ({ ...queue(200), atMs: START + at * 1000 })),
      ...Array.from({ length: 60 }, (_, at) => ({ ...queue(0), atMs: START - 3_600_000 + at * 1000 })),
    ];
    const { changes, state } = play(QUEUE, back);
    expect(changes.map(({ kind }) => kind)).toEqual(['fired', 'ended']);
    expect(changes[1]?.alert.endedMs).toBeGreaterThanOrEqual(changes[1]?.alert.sinceMs ?? Infinity);
    expect(state.firing).toEqual([]);
    const forward = [
      ...Array.from({ length: 20 }, (_, at) => ({ ...queue(200), atMs: START + at * 1000 })),
      ...Array.from({ length: 60 }, (_, at) => ({ ...queue(0), atMs: START + 86_400_000 + at * 1000 })),
    ];
    expect(play(QUEUE, forward).changes.map(({ kind }) => kind)).toEqual(['fired', 'ended']);
  });

  it('judges small batches only under load, model by model', () => {
    const rule: AlertRule = { ...QUEUE, metric: 'meanBatch', comparison: 'below', threshold: 4, clearThreshold: 5, minLoad: 8 };
    const load = (running: number, meanBatch: number | null, model = 'mill') => aModelSample({ model, running, meanBatch });
    expect(play(rule, repeat(60, { models: [load(1, 1)] })).told).toEqual([]);
    const { changes } = play(rule, repeat(60, { models: [load(9, 1.5), load(1, 1, 'quiet')] }));
    expect(changes.map(({ alert }) => alert.subject)).toEqual(['mill']);
    expect(play(rule, [...repeat(20, { models: [load(9, 1.5)] }), ...repeat(40, { models: [load(0, null)] })]).told).toHaveLength(2);
  });

  it('does not call an idle GPU underused', () => {
    const rule = DEFAULT_RULES.find(({ id }) => id === 'gpu-underused') ?? QUEUE;
    const idle = (running: number): Partial<Sample> => ({
      devices: [aDeviceSample({ device: 'gpu0', utilisation: 0.05 })],
      models: [aModelSample({ running })],
    });
    expect(play(rule, repeat(400, idle(0))).told).toEqual([]);
    expect(play(rule, repeat(400, idle(2))).told).toHaveLength(1);
  });

  it('ends the alerts of a rule that is switched off, and takes over a changed threshold', () => {
    const { state } = play(QUEUE, repeat(20, queue(200)));
    const window = { samples: Array.from({ length: 20 }, (_, at) => aSample({ ...queue(200), atMs: START + at * 1000 })), requests: [] };
    const now = START + 20_000;
    const off = evaluateAlerts(state, window, { rules: [{ ...QUEUE, enabled: false }], slos: SLOS }, now);
    expect(off.changes.map(({ kind }) => kind)).toEqual(['ended']);
    const raised = evaluateAlerts(state, window, { rules: [{ ...QUEUE, threshold: 150 }], slos: SLOS }, now);
    expect(raised.changes).toEqual([]);
    expect(activeAlerts(raised.state)[0]?.threshold).toBe(150);
  });

  it('is silent while snoozed, also when it ends and fires again, and reminds when the snooze ends', () => {
    const samples = (depth: number, from: number) =>
      Array.from({ length: 10 }, (_, at) => aSample({ ...queue(depth), atMs: START + (from + at) * 1000 }));
    const judge = (state: AlertState, list: readonly Sample[], second: number) =>
      evaluateAlerts(state, { samples: list, requests: [] }, { rules: [QUEUE], slos: SLOS }, START + second * 1000);
    const fired = judge(NO_ALERTS, samples(200, 0), 9);
    const id = activeAlerts(fired.state)[0]?.id ?? '';
    const snoozed = snoozeAlert(fired.state, id, START + 1_000_000);
    expect(snoozeAlert(fired.state, 'unknown', START)).toBeUndefined();
    if (snoozed === undefined) throw new Error('The alert does not fire.');
    expect(activeAlerts(snoozed)[0]?.snoozedUntilMs).toBe(START + 1_000_000);
    const clearing = judge(snoozed, samples(0, 20), 29);
    const ended = judge(clearing.state, samples(0, 40), 49);
    expect(ended.changes).toMatchObject([{ kind: 'ended', muted: true }]);
    const again = judge(ended.state, samples(200, 100), 109);
    expect(again.changes).toMatchObject([{ kind: 'fired', muted: true }]);
    const over = judge(again.state, samples(200, 1_000), 1_009);
    expect(over.changes).toMatchObject([{ kind: 'reminded', muted: false }]);
    expect(judge(over.state, samples(200, 1_001), 1_010).changes).toEqual([]);
  });

  it('for any series and any steps of the clock: fires and ends in turn, and never changes what it was given', () => {
    const second = fc.record({
      depth: fc.integer({ min: 0, max: 300 }),
      stepMs: fc.integer({ min: -30_000, max: 30_000 }),
      held: fc.integer({ min: 1, max: 15 }),
    });
    fc.assert(
      fc.property(fc.array(second, { maxLength: 40 }), (series) => {
        let state: AlertState = NO_ALERTS;
        let now = START;
        const samples: Sample[] = [];
        const open = new Map<string, string>();
        for (const { depth, stepMs, held } of series) {
          now += stepMs;
          for (let at = 0; at < held; at += 1) {
            now += 1000;
            samples.push(aSample({ atMs: now, ...queue(depth) }));
            const before = structuredClone(state);
            const step = evaluateAlerts(state, { samples, requests: [] }, { rules: [QUEUE], slos: SLOS }, now);
            expect(state).toEqual(before);
            state = step.state;
            for (const { kind, alert } of step.changes) {
              if (kind === 'fired') {
                expect(open.has(alert.subject ?? '')).toBe(false);
                open.set(alert.subject ?? '', alert.id);
              } else {
                expect(open.get(alert.subject ?? '')).toBe(alert.id);
                expect(alert.endedMs).toBeGreaterThanOrEqual(alert.sinceMs);
                open.delete(alert.subject ?? '');
              }
            }
            expect(state.firing.map(({ id }) => id)).toEqual([...open.values()]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('evaluateAlerts over finished requests', () => {
  const now = START + 300_000;
  const rule = (metric: AlertRule['metric'], threshold: number): AlertRule => ({
    ...QUEUE,
    metric,
    threshold,
    clearThreshold: threshold,
    windowSeconds: 300,
  });
  const requests = (count: number, change: Parameters<typeof aRequest>[0] = {}) =>
    Array.from({ length: count }, (_, at) => aRequest({ atMs: START + 1_000 * at, ...change }));
  const judge = (watched: AlertRule, list: ReturnType<typeof requests>, slos = SLOS) =>
    evaluateAlerts(NO_ALERTS, { samples: [], requests: list }, { rules: [watched], slos }, now).changes.map(({ alert }) => alert);

  it('compares the P99 latency of each model with its own objective', () => {
    const slow = [...requests(98), ...requests(2, { ttftMs: 5_000 })];
    const other = requests(100, { model: 'other', ttftMs: 1_500 });
    const slos: SloSettings = { fallback: SLOS.fallback, models: { other: { ttftMs: 100, interTokenMs: null, totalMs: 500 } } };
    const alerts = judge(rule('latencyP99OverSlo', 2), [...slow, ...other], slos);
    expect(alerts.map(({ subject, value }) => [subject, value])).toEqual([
      ['mill', 5],
      ['other', 15],
    ]);
    expect(alerts[0]?.sentence).toBe('The P99 time to first token of mill over its objective is 5×, above the limit of 2×. It grows.');
    expect(
      judge(rule('latencyP99OverSlo', 2), slow, { fallback: { ttftMs: null, interTokenMs: null, totalMs: null }, models: {} }),
    ).toEqual([]);
    expect(judge(rule('latencyP99OverSlo', 2), requests(19, { ttftMs: 9_000 }))).toEqual([]);
  });

  it('counts failures of the server, and not those of clients', () => {
    const failed = { outcome: 'error', status: 500, errorCode: 'internal' } as const;
    expect(judge(rule('errorRate', 0.01), [...requests(99), ...requests(1, failed)])).toEqual([]);
    expect(judge(rule('errorRate', 0.01), [...requests(97), ...requests(3, failed)])[0]?.value).toBeCloseTo(0.03, 10);
    expect(judge(rule('errorRate', 0.01), [...requests(97), ...requests(50, { outcome: 'error', status: 400 })])).toEqual([]);
    expect(judge(rule('errorRate', 0.01), [...requests(97), ...requests(50, { outcome: 'cancelled', status: 499 })])).toEqual([]);
    expect(judge(rule('errorRate', 0.01), [...requests(50), ...requests(50, { outcome: 'error', status: 429 })])).toHaveLength(1);
    expect(judge(rule('errorRate', 0.01), [...requests(50), ...requests(50, { outcome: 'error', status: 200 })])).toHaveLength(1);
    // Four failures of four requests may be one bad minute; five are an outage.
    expect(judge(rule('errorRate', 0.01), requests(4, failed))).toEqual([]);
    expect(judge(rule('errorRate', 0.01), requests(5, failed))).toHaveLength(1);
  });

  it('takes the mean cost of answered requests', () => {
    const dear = { energyUsd: 0.01, hardwareUsd: 0.02, upstreamUsd: 0.03 };
    const [alert] = judge(rule('costPerRequestUsd', 0.05), [...requests(20, dear), ...requests(20, { outcome: 'cancelled' })]);
    expect(alert?.value).toBeCloseTo(0.06, 10);
    expect(alert?.sentence).toBe('The mean cost of a request is $0.06, above the limit of $0.05. It grows.');
  });

  it('looks at the end of a request, within the window', () => {
    expect(judge(rule('errorRate', 0.01), requests(40, { outcome: 'error', status: 500, totalMs: 900_000 }))).toEqual([]);
    expect(
      judge(rule('errorRate', 0.01), requests(40, { outcome: 'error', status: 500, atMs: now - 400_000, totalMs: 200_000 })),
    ).toHaveLength(1);
  });
});

describe('what is stated', () => {
  const stated = {
    ruleId: 'route-barred',
    name: 'Answers below the quality bar',
    subject: 'small',
    value: 0.2,
    threshold: 0.05,
    sentence: 'small is no longer routed to.',
    remedy: 'Try another variant.',
  };
  const empty = { samples: [], requests: [] };
  const policy = { rules: DEFAULT_RULES, slos: SLOS };

  it('fires once for as long as it is said, by subject, and ends at once', () => {
    const first = evaluateAlerts(NO_ALERTS, empty, { ...policy, stated: [stated] }, START);
    expect(first.changes).toMatchObject([{ kind: 'fired', muted: false, alert: { ...stated, sinceMs: START, endedMs: null } }]);
    const worse = { ...stated, value: 0.3 };
    const second = evaluateAlerts(first.state, empty, { ...policy, stated: [worse, { ...stated, subject: 'other' }] }, START + 1_000);
    expect(second.changes.map(({ kind, alert }) => [kind, alert.subject])).toEqual([['fired', 'other']]);
    const last = evaluateAlerts(second.state, empty, policy, START + 2_000);
    expect(last.changes.map(({ kind, alert }) => [kind, alert.subject, alert.peak])).toEqual([
      ['ended', 'small', 0.3],
      ['ended', 'other', 0.2],
    ]);
    expect(last.state.firing).toEqual([]);
  });
});

describe('the default rules', () => {
  it('have a margin between firing and ending, and say what they mean and what to do', () => {
    for (const { comparison, threshold, clearThreshold, indicates, remedy, windowSeconds } of DEFAULT_RULES) {
      expect(comparison === 'above' ? clearThreshold < threshold : clearThreshold > threshold).toBe(true);
      expect(indicates).toMatch(/^[A-Z].*\.$/);
      expect(remedy).toMatch(/^[A-Z].*\.$/);
      expect(windowSeconds).toBeGreaterThanOrEqual(60);
    }
    expect(new Set(DEFAULT_RULES.map(({ id }) => id)).size).toBe(DEFAULT_RULES.length);
  });

  it('are quiet on an idle machine and on one that serves well', () => {
    const well = aSample({
      models: [aModelSample({ running: 10, meanBatch: 9 })],
      devices: [aDeviceSample({ device: 'gpu0', utilisation: 0.7 })],
    });
    for (const sample of [aSample(), well]) {
      const samples = Array.from({ length: 1_000 }, (_, at) => ({ ...sample, atMs: START + at * 1000 }));
      const requests = Array.from({ length: 200 }, (_, at) => aRequest({ atMs: START + at * 5000 }));
      const policy = { rules: DEFAULT_RULES, slos: SLOS };
      expect(evaluateAlerts(NO_ALERTS, { samples, requests }, policy, START + 999_000).changes).toEqual([]);
    }
  });
});
