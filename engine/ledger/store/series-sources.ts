// Owns which columns each series is made of, and how a step's sums become its value. Pure.
import type { SeriesName } from '../../contract.ts';
import { PICO } from './request-row.ts';
import type { HistogramOf, StatsTable, SumOf } from './schema.ts';

/** What one step of one table holds. */
export interface StepSums {
  /** Seconds in which the server was sampled; 0 when it did not run. */
  readonly seconds: number;
  /** Whether the table has anything of what was asked for. */
  readonly isRecorded: boolean;
  /** Whether everything is asked for, not one model or device. */
  readonly isAll: boolean;
  /** Over all rows of the step; 0 without rows. */
  sum(column: string): number;
  /** Median and 99th percentile; nulls without values. */
  quantiles(histogram: string): Quantiles;
}

export interface Quantiles {
  readonly p50: number | null;
  readonly p99: number | null;
}

export interface SeriesSource {
  readonly table: StatsTable;
  readonly sums: readonly string[];
  readonly histogram: string | null;
  /** Null is a gap. */
  readonly value: (step: StepSums) => number | null;
}

/** Counts and money: 0 in a step in which the server ran and nothing ended. */
function count(column: SumOf<'request_stats'>, units = 1): SeriesSource {
  const value = (step: StepSums): number | null => (step.seconds === 0 && !step.isRecorded ? null : step.sum(column) / units);
  return { table: 'request_stats', sums: [column], histogram: null, value };
}

function percentile(histogram: HistogramOf<'request_stats'>, which: keyof Quantiles): SeriesSource {
  return { table: 'request_stats', sums: [], histogram, value: (step) => step.quantiles(histogram)[which] };
}

/** Mean over the seconds of the step, so that the models' values add up to that of all. */
function perSecond(column: SumOf<'model_stats'>): SeriesSource {
  const value = (step: StepSums): number | null =>
    step.seconds === 0 || !(step.isRecorded || step.isAll) ? null : step.sum(column) / step.seconds;
  return { table: 'model_stats', sums: [column], histogram: null, value };
}

/** Mean of what was known. */
function mean<T extends 'model_stats' | 'device_stats'>(table: T, columns: { total: SumOf<T>; n: SumOf<T> }, units: number): SeriesSource {
  const { total, n } = columns;
  const value = (step: StepSums): number | null => (step.sum(n) === 0 ? null : step.sum(total) / units / step.sum(n));
  return { table, sums: [total, n], histogram: null, value };
}

/** Of one device the mean; of all devices their sum on average. */
function summedMean(columns: { total: SumOf<'device_stats'>; n: SumOf<'device_stats'> }, units: number): SeriesSource {
  const ofOne = mean('device_stats', columns, units);
  const ofAll = (step: StepSums): number | null => (step.sum(columns.n) === 0 ? null : step.sum(columns.total) / units / step.seconds);
  return { ...ofOne, value: (step) => (step.isAll && step.seconds > 0 ? ofAll(step) : ofOne.value(step)) };
}

const idleUsd: SeriesSource = {
  table: 'server_stats',
  sums: ['idle_pico'],
  histogram: null,
  value: (step) => (step.seconds === 0 ? null : step.sum('idle_pico') / PICO),
};

export const SERIES_SOURCES: Readonly<Record<SeriesName, SeriesSource>> = {
  requests: count('requests'),
  errors: count('errors'),
  promptTokens: count('prompt_tokens'),
  completionTokens: count('completion_tokens'),
  cacheHits: count('cache_hits'),
  costUsd: count('cost_pico', PICO),
  premiumUsd: count('premium_pico', PICO),
  ttftP50Ms: percentile('ttft', 'p50'),
  ttftP99Ms: percentile('ttft', 'p99'),
  interTokenP50Ms: percentile('inter_token_p50', 'p50'),
  interTokenP99Ms: percentile('inter_token_p99', 'p99'),
  totalP50Ms: percentile('total', 'p50'),
  totalP99Ms: percentile('total', 'p99'),
  waitP50Ms: percentile('wait', 'p50'),
  waitP99Ms: percentile('wait', 'p99'),
  tokensPerSecond: perSecond('completion_tokens'),
  queueDepth: perSecond('queue_depth'),
  running: perSecond('running'),
  kvUsedTokens: perSecond('kv_used_tokens'),
  meanBatch: mean('model_stats', { total: 'batch_milli', n: 'batch_n' }, 1000),
  idleUsd,
  utilisation: mean('device_stats', { total: 'utilisation_ppm', n: 'utilisation_n' }, 1e6),
  memoryUsedBytes: summedMean({ total: 'memory_bytes', n: 'memory_n' }, 1),
  powerWatts: summedMean({ total: 'power_mw', n: 'power_n' }, 1000),
  temperatureCelsius: mean('device_stats', { total: 'temperature_milli', n: 'temperature_n' }, 1000),
};
