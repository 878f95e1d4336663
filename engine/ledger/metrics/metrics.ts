// Owns what `/metrics` tells: turns finished requests and samples into Prometheus metrics.
// Knows nothing about HTTP or where requests come from. No tenant, key or text is ever a label.
import type { ActiveAlert, ModelStatus } from '../../contract.ts';
import type { DeviceSample, ModelSample, RequestRecord, Sample } from '../ledger.ts';
import { LabelValues } from './label-values.ts';
import { MetricsRegistry, type MetricsText } from './registry.ts';

export interface Metrics {
  /** Once for each finished request. */
  observeRequest(record: RequestRecord): void;
  /** Once a second. */
  observeSample(sample: Sample): void;
  /** The text that Prometheus scrapes; the state of models and alerts is asked for at this moment. */
  render(): Promise<MetricsText>;
}

/** What is asked for when somebody scrapes. */
export interface MetricsSources {
  readonly version: string;
  models(): readonly ModelStatus[];
  alerts(): readonly ActiveAlert[];
}

/** Time series of a label at most; a year of pulled and removed models must not grow the answer. */
const MAX_MODELS = 100;
const MAX_ENDPOINTS = 40;
const MAX_CODES = 60;

const SAMPLE_GAUGES = [
  'millrace_requests_running',
  'millrace_requests_waiting',
  'millrace_slots',
  'millrace_device_utilization_ratio',
  'millrace_device_memory_used_bytes',
  'millrace_device_memory_total_bytes',
  'millrace_device_power_watts',
  'millrace_device_temperature_celsius',
] as const;
const SCRAPE_GAUGES = [
  'millrace_kv_cache_usage_ratio',
  'millrace_kv_cache_committed_bytes',
  'millrace_model_memory_bytes',
  'millrace_alerts_firing',
] as const;

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new MetricsRegistry();
  registry.set('millrace_build_info', { version: sources.version }, 1);
  const labels = {
    models: new LabelValues(MAX_MODELS),
    endpoints: new LabelValues(MAX_ENDPOINTS),
    codes: new LabelValues(MAX_CODES),
  };
  return {
    observeRequest: (record) => {
      const model = labels.models.of(record.model ?? 'none');
      countRequest(registry, record, { model, endpoint: labels.endpoints.of(record.endpoint) });
      if (record.errorCode !== null) {
        registry.add('millrace_request_errors_total', { model, code: labels.codes.of(record.errorCode) }, 1);
      }
      timeRequest(registry, record, model);
      chargeRequest(registry, record, model);
    },
    observeSample: (sample) => {
      registry.clear(SAMPLE_GAUGES);
      for (const model of sample.models) tellModel(registry, model, labels.models.of(model.model));
      for (const device of sample.devices) tellDevice(registry, device);
      registry.add('millrace_device_cost_usd_total', { state: 'busy' }, sample.busyUsd);
      registry.add('millrace_device_cost_usd_total', { state: 'idle' }, sample.idleUsd);
    },
    render: () => {
      registry.clear(SCRAPE_GAUGES);
      for (const status of sources.models()) tellStatus(registry, status, labels.models.of(status.id));
      tellAlerts(registry, sources.alerts());
      return registry.render();
    },
  };
}

function countRequest(
  registry: MetricsRegistry,
  record: RequestRecord,
  labels: { readonly model: string; readonly endpoint: string },
): void {
  const { model } = labels;
  registry.add('millrace_requests_total', { ...labels, outcome: record.outcome }, 1);
  registry.observe('millrace_request_duration_seconds', labels, record.totalMs / 1000);
  registry.add('millrace_prompt_tokens_total', { model }, record.promptTokens);
  registry.add('millrace_prompt_tokens_cached_total', { model }, record.cachedTokens);
  registry.add('millrace_generation_tokens_total', { model }, record.completionTokens);
  if (record.cache !== null) registry.add('millrace_cache_requests_total', { result: record.cache }, 1);
}

function timeRequest(registry: MetricsRegistry, record: RequestRecord, model: string): void {
  registry.observe('millrace_time_to_first_token_seconds', { model }, seconds(record.ttftMs));
  registry.observe('millrace_inter_token_latency_p99_seconds', { model }, seconds(record.interTokenP99Ms));
  registry.observe('millrace_request_queue_time_seconds', { model }, seconds(record.queueMs));
  registry.observe('millrace_request_prefill_time_seconds', { model }, seconds(record.prefillMs));
  registry.observe('millrace_time_per_output_token_seconds', { model }, seconds(timePerOutputTokenMs(record)));
}

/** (duration − TTFT) / (output tokens − 1), as OpenTelemetry's gen_ai.server.time_per_output_token has it; null where it means nothing. */
function timePerOutputTokenMs({ outcome, ttftMs, totalMs, completionTokens }: RequestRecord): number | null {
  if (outcome !== 'ok' || ttftMs === null || completionTokens < 2) return null;
  return Math.max(0, totalMs - ttftMs) / (completionTokens - 1);
}

function chargeRequest(registry: MetricsRegistry, record: RequestRecord, model: string): void {
  registry.add('millrace_request_cost_usd_total', { model, part: 'energy' }, record.energyUsd);
  registry.add('millrace_request_cost_usd_total', { model, part: 'hardware' }, record.hardwareUsd);
  registry.add('millrace_request_cost_usd_total', { model, part: 'upstream' }, record.upstreamUsd);
  registry.add('millrace_premium_cost_usd_total', { model }, record.premiumUsd);
  registry.add('millrace_request_energy_joules_total', { model }, record.energyJoules);
  registry.add('millrace_request_device_seconds_total', { model }, record.deviceMs / 1000);
}

function tellModel(registry: MetricsRegistry, sample: ModelSample, model: string): void {
  registry.set('millrace_requests_running', { model }, sample.running);
  registry.set('millrace_requests_waiting', { model }, sample.queueDepth);
  registry.set('millrace_slots', { model }, sample.slots);
  registry.observe('millrace_batch_size', { model }, sample.meanBatch);
  registry.add('millrace_model_busy_seconds_total', { model }, sample.busyMs / 1000);
}

function tellDevice(registry: MetricsRegistry, sample: DeviceSample): void {
  const { device } = sample;
  registry.set('millrace_device_utilization_ratio', { device }, sample.utilisation);
  registry.set('millrace_device_memory_used_bytes', { device }, sample.memoryUsedBytes);
  registry.set('millrace_device_memory_total_bytes', { device }, sample.memoryTotalBytes);
  const source = sample.powerMeasured ? 'measured' : 'estimated';
  registry.set('millrace_device_power_watts', { device, source }, sample.powerWatts);
  registry.set('millrace_device_temperature_celsius', { device }, sample.temperatureCelsius);
}

function tellStatus(registry: MetricsRegistry, { running }: ModelStatus, model: string): void {
  if (running === null) return;
  registry.set('millrace_model_memory_bytes', { model }, running.memoryBytes);
  if (running.batches !== null) return;
  const capacity = running.contextLength * running.maxSlots;
  registry.set('millrace_kv_cache_usage_ratio', { model }, capacity > 0 ? running.kvUsedTokens / capacity : null);
  registry.set('millrace_kv_cache_committed_bytes', { model }, running.kvBytes);
}

function tellAlerts(registry: MetricsRegistry, alerts: readonly ActiveAlert[]): void {
  const counts = new Map<string, number>();
  for (const { ruleId } of alerts) counts.set(ruleId, (counts.get(ruleId) ?? 0) + 1);
  for (const [rule, count] of counts) registry.set('millrace_alerts_firing', { rule }, count);
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
