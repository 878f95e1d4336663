import { describe, expect, it } from 'vitest';
import type { ActiveAlert, ModelStatus } from '../../../engine/contract.ts';
import { createMetrics, type MetricsSources } from '../../../engine/ledger/metrics/metrics.ts';
import { METRICS } from '../../../engine/ledger/metrics/names.ts';
import { aDeviceSample, aModelSample, aRequest, aSample } from '../records.ts';
import { labelKey, parseExposition, type Family } from './exposition.ts';

const NOTHING: MetricsSources = { version: '1.2.3', models: () => [], alerts: () => [] };

const STATUS: ModelStatus = {
  id: 'mill',
  use: 'text',
  state: 'ready',
  failure: null,
  precision: 'int8',
  variant: 'int8',
  parameterCount: 1,
  sizeBytes: 1,
  trainedContext: 4096,
  tokensPerSecond: 0,
  pinned: false,
  running: {
    device: 'cpu',
    pid: 1,
    contextLength: 1000,
    slots: 2,
    maxSlots: 4,
    runningRequests: 1,
    waitingRequests: 0,
    kvUsedTokens: 500,
    kvBytes: 4096,
    slotUse: [],
    memoryBytes: 9000,
    unloadInMs: null,
    loadMs: 1,
    batches: null,
  },
};

async function scrape(metrics: ReturnType<typeof createMetrics>): Promise<ReadonlyMap<string, Family>> {
  return parseExposition((await metrics.render()).body);
}

/** The value of the one sample with these labels and no others. */
function value(families: ReadonlyMap<string, Family>, name: string, labels: Record<string, string> = {}): number | undefined {
  const family = families.get(name.replace(/_(sum|count|bucket)$/, '')) ?? families.get(name);
  return family?.samples.find((sample) => sample.name === name && labelKey(sample.labels) === labelKey(labels))?.value;
}

describe('metrics', () => {
  it('exports every metric of the table, with its kind and help, and those of the process', async () => {
    const metrics = createMetrics(NOTHING);
    const families = await scrape(metrics);
    for (const [name, row] of Object.entries(METRICS)) expect(families.get(name)).toMatchObject({ kind: row.kind, help: row.help });
    expect(value(families, 'millrace_build_info', { version: '1.2.3' })).toBe(1);
    expect(value(families, 'process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(families.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
    expect((await metrics.render()).contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('keeps the naming rules of Prometheus', () => {
    for (const [name, row] of Object.entries(METRICS)) {
      expect(name).toMatch(/^millrace_[a-z0-9_]+$/);
      expect(name.endsWith('_total')).toBe(row.kind === 'counter');
      for (const label of row.labels) expect(label).toMatch(/^[a-z]+$/);
      expect(row.help).toMatch(/\.$/);
      if (row.kind === 'histogram') expect([...row.buckets].sort((a, b) => a - b)).toEqual(row.buckets);
    }
  });

  it('counts requests, tokens, money and times', async () => {
    const metrics = createMetrics(NOTHING);
    metrics.observeRequest(aRequest());
    metrics.observeRequest(aRequest({ cache: 'hit', cachedTokens: 0, ttftMs: 7 }));
    const families = await scrape(metrics);
    const model = 'mill';
    expect(value(families, 'millrace_requests_total', { model, endpoint: '/v1/chat/completions', outcome: 'ok' })).toBe(2);
    expect(value(families, 'millrace_prompt_tokens_total', { model })).toBe(400);
    expect(value(families, 'millrace_prompt_tokens_cached_total', { model })).toBe(50);
    expect(value(families, 'millrace_generation_tokens_total', { model })).toBe(62);
    expect(value(families, 'millrace_cache_requests_total', { result: 'hit' })).toBe(1);
    expect(value(families, 'millrace_request_cost_usd_total', { model, part: 'hardware' })).toBeCloseTo(0.000_006, 12);
    expect(value(families, 'millrace_request_cost_usd_total', { model, part: 'upstream' })).toBeUndefined();
    expect(value(families, 'millrace_premium_cost_usd_total', { model })).toBeCloseTo(0.001, 12);
    expect(value(families, 'millrace_request_device_seconds_total', { model })).toBeCloseTo(0.5, 12);
    expect(value(families, 'millrace_time_to_first_token_seconds_count', { model })).toBe(2);
    expect(value(families, 'millrace_time_to_first_token_seconds_sum', { model })).toBeCloseTo(0.107, 12);
    expect(value(families, 'millrace_time_to_first_token_seconds_bucket', { model, le: '0.01' })).toBe(1);
    expect(value(families, 'millrace_request_queue_time_seconds_sum', { model })).toBeCloseTo(0.04, 12);
    // (400 − 100) / 30 and (400 − 7) / 30 milliseconds.
    expect(value(families, 'millrace_time_per_output_token_seconds_sum', { model })).toBeCloseTo(0.0231, 12);
  });

  it('counts failures by code, and tells no time that was not measured', async () => {
    const metrics = createMetrics(NOTHING);
    const unknown = { model: null, ttftMs: null, queueMs: null, prefillMs: null, interTokenP99Ms: null, premiumUsd: null };
    metrics.observeRequest(aRequest({ ...unknown, outcome: 'error', errorCode: 'queue_full', status: 429, completionTokens: 0 }));
    const families = await scrape(metrics);
    expect(value(families, 'millrace_request_errors_total', { model: 'none', code: 'queue_full' })).toBe(1);
    for (const name of [
      'millrace_time_to_first_token_seconds',
      'millrace_time_per_output_token_seconds',
      'millrace_request_queue_time_seconds',
    ])
      expect(families.get(name)?.samples).toEqual([]);
  });

  it('tells of a second: models, devices and what they cost; what is gone or unknown is not told', async () => {
    const metrics = createMetrics(NOTHING);
    metrics.observeSample(aSample({ models: [aModelSample({ model: 'gone', running: 9 })] }));
    metrics.observeSample(
      aSample({
        models: [aModelSample({ running: 3, queueDepth: 7, meanBatch: 2.5, busyMs: 800 })],
        devices: [aDeviceSample({ temperatureCelsius: null }), aDeviceSample({ device: 'gpu0', powerMeasured: true, powerWatts: 200 })],
        busyUsd: 0.000_02,
      }),
    );
    const families = await scrape(metrics);
    expect(value(families, 'millrace_requests_running', { model: 'gone' })).toBeUndefined();
    expect(value(families, 'millrace_requests_running', { model: 'mill' })).toBe(3);
    expect(value(families, 'millrace_requests_waiting', { model: 'mill' })).toBe(7);
    expect(value(families, 'millrace_batch_size_sum', { model: 'mill' })).toBe(2.5);
    expect(value(families, 'millrace_model_busy_seconds_total', { model: 'mill' })).toBeCloseTo(0.8, 12);
    expect(value(families, 'millrace_device_power_watts', { device: 'gpu0', source: 'measured' })).toBe(200);
    expect(value(families, 'millrace_device_power_watts', { device: 'cpu', source: 'estimated' })).toBe(40);
    expect(value(families, 'millrace_device_temperature_celsius', { device: 'cpu' })).toBeUndefined();
    expect(value(families, 'millrace_device_cost_usd_total', { state: 'busy' })).toBeCloseTo(0.000_02, 12);
    expect(value(families, 'millrace_device_cost_usd_total', { state: 'idle' })).toBeCloseTo(0.000_02, 12);
  });

  it('asks for models and alerts at the scrape', async () => {
    let alerts: ActiveAlert[] = [];
    const metrics = createMetrics({ version: '1', models: () => [STATUS], alerts: () => alerts });
    const alert = { id: 'a', ruleId: 'queue-depth', name: '', subject: null, sinceMs: 0, value: 1, threshold: 1, sentence: '', remedy: '' };
    alerts = [
      { ...alert, snoozedUntilMs: null },
      { ...alert, id: 'b', snoozedUntilMs: null },
    ];
    const during = await scrape(metrics);
    expect(value(during, 'millrace_kv_cache_usage_ratio', { model: 'mill' })).toBe(0.125);
    expect(value(during, 'millrace_model_memory_bytes', { model: 'mill' })).toBe(9000);
    expect(value(during, 'millrace_alerts_firing', { rule: 'queue-depth' })).toBe(2);
    alerts = [];
    expect(value(await scrape(metrics), 'millrace_alerts_firing', { rule: 'queue-depth' })).toBeUndefined();
  });

  it('keeps the number of time series bounded, and loses no request', async () => {
    const metrics = createMetrics(NOTHING);
    for (let at = 0; at < 1_000; at += 1) {
      const endpoint = `/v1/${at}`;
      metrics.observeRequest(aRequest({ model: `model ${at}`, endpoint, outcome: 'error', errorCode: `code_${at}` }));
    }
    const families = await scrape(metrics);
    const requests = families.get('millrace_requests_total')?.samples ?? [];
    expect(requests.length).toBeLessThan(150);
    expect(requests.reduce((sum, sample) => sum + sample.value, 0)).toBe(1_000);
    expect(families.get('millrace_request_errors_total')?.samples.length).toBeLessThan(150);
  });

  it('survives names that need escaping', async () => {
    const metrics = createMetrics(NOTHING);
    const model = 'a "b"\\c\nd,e="f"}';
    metrics.observeRequest(aRequest({ model }));
    expect(value(await scrape(metrics), 'millrace_prompt_tokens_total', { model })).toBe(200);
  });
});
