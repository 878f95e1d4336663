import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlertWatch } from '../../../engine/ledger/alerts/alert-watch.ts';
import { DEFAULT_RULES } from '../../../engine/ledger/alerts/default-rules.ts';
import type { AlertChange } from '../../../engine/ledger/alerts/evaluate.ts';
import { Webhook } from '../../../engine/ledger/alerts/webhook.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { aModelSample, aRequest, aSample } from '../records.ts';
import { Receiver } from './receiver.ts';

const START = 1_700_000_000_000;

describe('AlertWatch', () => {
  let ledger: FakeLedger;
  let notified: AlertChange[];
  let logged: string[];
  let watch: AlertWatch;
  let second: number;

  beforeEach(() => {
    ledger = new FakeLedger({ alerts: { rules: DEFAULT_RULES } });
    notified = [];
    logged = [];
    second = 0;
    const log = pino({ level: 'info' }, { write: (line: string) => void logged.push((JSON.parse(line) as { readonly msg: string }).msg) });
    watch = new AlertWatch({ ledger, log, notify: (change) => void notified.push(change), webhook: new Webhook({ log }) });
  });
  afterEach(() => watch.close());

  function seconds(count: number, queueDepth: number): void {
    for (let at = 0; at < count; at += 1) {
      second += 1;
      watch.observeSample(aSample({ atMs: START + second * 1000, models: [aModelSample({ queueDepth })] }));
    }
  }

  it('records, logs and notifies when an alert begins and when it ends', () => {
    seconds(60, 200);
    expect(watch.active()).toMatchObject([{ ruleId: 'queue-depth', subject: 'mill', value: 200, snoozedUntilMs: null }]);
    expect(ledger.alerts).toMatchObject([{ endedMs: null }]);
    seconds(150, 0);
    expect(watch.active()).toEqual([]);
    expect(ledger.alerts).toHaveLength(1);
    expect(ledger.alerts[0]?.endedMs).toBeGreaterThan(START);
    expect(notified.map(({ kind }) => kind)).toEqual(['fired', 'ended']);
    expect(logged[0]).toContain('alert fired: The queue of mill is 200 requests, above the limit of 100 requests.');
  });

  it('tells of what others state as of any alert, and of its end', () => {
    const text = { ruleId: 'route-barred', name: 'Below the bar', sentence: 'small is no longer routed to.', remedy: 'Wait.' };
    let stated = [{ ...text, subject: 'small', value: 0.2, threshold: 0.05 }];
    const log = pino({ level: 'silent' });
    const told = new AlertWatch({ ledger, log, notify: (change) => void notified.push(change), stated: () => stated });
    told.observeSample(aSample({ atMs: START }));
    expect(told.active()).toMatchObject([{ ruleId: 'route-barred', subject: 'small', sinceMs: START }]);
    stated = [];
    told.observeSample(aSample({ atMs: START + 1_000 }));
    expect(told.active()).toEqual([]);
    expect(notified.map(({ kind }) => kind)).toEqual(['fired', 'ended']);
    expect(ledger.alerts).toMatchObject([{ subject: 'small', endedMs: START + 1_000 }]);
  });

  it('calls nobody while snoozed or when notifications are off, and records all the same', async () => {
    seconds(60, 200);
    expect(watch.snooze('unknown', START)).toBe(false);
    expect(watch.snooze(watch.active()[0]?.id ?? '', START + 1_000_000_000_000)).toBe(true);
    expect(watch.active()[0]?.snoozedUntilMs).toBe(START + second * 1000 + 31 * 24 * 3_600_000);
    seconds(150, 0);
    expect(notified).toHaveLength(1);
    expect(ledger.alerts[0]?.endedMs).not.toBeNull();
    await ledger.changeSettings({ alerts: { desktop: false } });
    watch.snooze(watch.active()[0]?.id ?? '', null);
    seconds(60, 300);
    expect(notified).toHaveLength(1);
    expect(ledger.alerts).toHaveLength(2);
  });

  it('sends to the webhook of the settings', async () => {
    const receiver = new Receiver();
    const url = await receiver.open();
    await ledger.changeSettings({ alerts: { webhookUrl: url, webhookSecret: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0' } });
    seconds(60, 200);
    while (receiver.received.length < 1) await new Promise((resolve) => setImmediate(resolve));
    expect(receiver.received[0]?.headers['webhook-signature']).toMatch(/^v1,/);
    expect(await watch.testWebhook()).toEqual({ kind: 'delivered', status: 204 });
    await ledger.changeSettings({ alerts: { webhookUrl: null } });
    expect(await watch.testWebhook()).toBeNull();
    await receiver.close();
  });

  it('ends in the history what an earlier run left open, and what fires when it closes', async () => {
    seconds(60, 200);
    const [firing] = ledger.alerts;
    if (firing === undefined) throw new Error('Nothing fires.');
    ledger.alert({ ...firing, id: 'left open', sinceMs: START - 5_000 });
    await watch.settleHistory(START);
    expect(ledger.alerts.map(({ endedMs }) => endedMs)).toEqual([null, START]);
    await watch.close();
    expect(ledger.alerts[0]?.endedMs).toBe(START + 60_000);
    expect(watch.active()).toEqual([]);
  });

  it('takes its objectives from the first lone requests, unless the user has set them', async () => {
    const lone = aRequest({ meanBatch: 1, promptTokens: 1_000, cachedTokens: 0, prefillMs: 1_000, interTokenP50Ms: 20 });
    for (let at = 0; at < 30; at += 1) watch.observeRequest({ ...lone, meanBatch: 3, prefillMs: 9_000 });
    expect(watch.slos().models).toEqual({});
    expect(watch.sloOf('mill')).toEqual({ model: 'mill', slo: ledger.settings.slos.fallback, source: 'fallback', calibrated: null });
    for (let at = 0; at < 10; at += 1) watch.observeRequest(lone);
    // 512 tokens at 1,000 a second and 256 at 50 a second, four times over.
    const calibrated = { ttftMs: 2_100, interTokenMs: 80, totalMs: 23_000 };
    expect(watch.slos().models).toEqual({ mill: calibrated });
    expect(watch.sloOf('mill')).toEqual({ model: 'mill', slo: calibrated, source: 'calibration', calibrated });
    for (let at = 0; at < 50; at += 1) watch.observeRequest({ ...lone, prefillMs: 90_000 });
    expect(watch.slos().models.mill?.ttftMs).toBe(2_100);
    await ledger.changeSettings({ slos: { models: { mill: { ttftMs: 500, interTokenMs: null, totalMs: null } } } });
    const own = { ttftMs: 500, interTokenMs: null, totalMs: null };
    expect(watch.slos().models.mill).toEqual(own);
    expect(watch.sloOf('mill')).toEqual({ model: 'mill', slo: own, source: 'yours', calibrated });
    expect(watch.sloOf('constructor').source).toBe('fallback');
  });

  it('holds a bounded past, whatever the load and however long a rule’s window', async () => {
    await ledger.changeSettings({
      alerts: { rules: DEFAULT_RULES.map((rule) => ({ ...rule, enabled: rule.metric === 'errorRate', windowSeconds: 3_600 })) },
    });
    for (let at = 0; at < 40_000; at += 1) watch.observeRequest(aRequest({ atMs: START + at, outcome: 'error', status: 500 }));
    for (let at = 0; at < 6_000; at += 1) watch.observeRequest(aRequest({ atMs: START + 40_000 + at, totalMs: 0 }));
    second = 50;
    seconds(1, 0);
    // The failures were forgotten: only the latest requests are held.
    expect(watch.active()).toEqual([]);
  });
});
