// Owns the figures that alert rules watch: one value for each subject over the last seconds, from samples and finished requests.
// Pure; no clock, no rules' thresholds. A figure that rests on too little is no figure.
import type { AlertMetric, AlertRule, Slo, SloSettings } from '../../contract.ts';
import type { RequestRecord, Sample } from '../ledger.ts';
import { atPercentile } from './percentile.ts';

/** What a rule needs of a finished request. */
export type WatchedRequest = Pick<
  RequestRecord,
  'atMs' | 'totalMs' | 'model' | 'outcome' | 'status' | 'ttftMs' | 'interTokenP99Ms' | 'energyUsd' | 'hardwareUsd' | 'upstreamUsd'
>;

/** The recent past, in any order. Entries later than the moment of judgement, left by a clock that was set back, do not count. */
export interface AlertWindow {
  readonly samples: readonly Sample[];
  readonly requests: readonly WatchedRequest[];
}

/** One value of a metric. */
export interface Measured {
  /** Model or device; null: the whole server. */
  readonly subject: string | null;
  readonly value: number;
  /** Which latency, for `latencyP99OverSlo`. */
  readonly what: LatencyName | null;
}

export type LatencyName = 'ttftMs' | 'interTokenMs' | 'totalMs';

/** Requests before a percentile or a rate means something. */
const MIN_REQUESTS = 20;
/** So many failures say enough without them. */
const MIN_FAILURES = 5;
/** Share of the window's seconds that must have a sample, and share of its length that the samples must span. */
const MIN_COVERAGE = 0.5;
const MIN_SPAN = 0.8;

/** The values of the rule's metric over its window, one for each subject that can be judged. */
export function measure(rule: AlertRule, window: AlertWindow, slos: SloSettings, nowMs: number): readonly Measured[] {
  const fromMs = nowMs - rule.windowSeconds * 1000;
  const samples = window.samples.filter(({ atMs }) => atMs > fromMs && atMs <= nowMs);
  if (rule.minLoad > 0 && meanLoad(samples, null) < rule.minLoad) return [];
  const requests = window.requests.filter((request) => isWithin(request, fromMs, nowMs));
  const values = REQUEST_METRICS.has(rule.metric) ? ofRequests(rule.metric, requests, slos) : ofSamples(rule, samples);
  const perModel = rule.metric === 'meanBatch' || rule.metric === 'queueDepth';
  if (rule.minLoad === 0 || !perModel) return values;
  return values.filter(({ subject }) => meanLoad(samples, subject) >= rule.minLoad);
}

const REQUEST_METRICS: ReadonlySet<AlertMetric> = new Set(['latencyP99OverSlo', 'errorRate', 'costPerRequestUsd']);

function isWithin({ atMs, totalMs }: WatchedRequest, fromMs: number, nowMs: number): boolean {
  const endMs = atMs + totalMs;
  return endMs > fromMs && endMs <= nowMs;
}

/** Requests running or waiting, on average; of one model, or of all. */
function meanLoad(samples: readonly Sample[], model: string | null): number {
  const loads = samples.map(({ models }) =>
    models.reduce((sum, entry) => (model === null || entry.model === model ? sum + entry.running + entry.queueDepth : sum), 0),
  );
  return mean(loads) ?? 0;
}

function ofRequests(metric: AlertMetric, requests: readonly WatchedRequest[], slos: SloSettings): readonly Measured[] {
  if (metric === 'latencyP99OverSlo') return latencies(requests, slos);
  const value = metric === 'errorRate' ? errorRate(requests) : costPerRequest(requests);
  return value === null ? [] : [{ subject: null, value, what: null }];
}

/** Failures of the server over what it could have answered: a client's own mistakes count on neither side, a full queue does. */
function errorRate(requests: readonly WatchedRequest[]): number | null {
  const failures = requests.filter(isServerFailure).length;
  const judged = failures + requests.filter(({ outcome }) => outcome === 'ok').length;
  if (judged === 0 || (judged < MIN_REQUESTS && failures < MIN_FAILURES)) return null;
  return failures / judged;
}

/** A stream that broke off has the status 200 and an error outcome. */
function isServerFailure({ outcome, status }: WatchedRequest): boolean {
  return outcome === 'error' && (status < 400 || status >= 500 || status === 429);
}

function costPerRequest(requests: readonly WatchedRequest[]): number | null {
  const answered = requests.filter(({ outcome }) => outcome === 'ok');
  if (answered.length < MIN_REQUESTS) return null;
  return mean(answered.map(({ energyUsd, hardwareUsd, upstreamUsd }) => energyUsd + hardwareUsd + upstreamUsd));
}

/** For each model the latency that is furthest above its objective. */
function latencies(requests: readonly WatchedRequest[], slos: SloSettings): readonly Measured[] {
  const answered = requests.filter(({ outcome, model }) => outcome === 'ok' && model !== null);
  const byModel = Map.groupBy(answered, ({ model }) => model ?? '');
  return [...byModel].flatMap(([subject, list]) => {
    const slo = Object.hasOwn(slos.models, subject) ? slos.models[subject] : slos.fallback;
    const worst = slo === undefined ? null : worstLatency(list, slo);
    return worst === null ? [] : [{ subject, ...worst }];
  });
}

function worstLatency(requests: readonly WatchedRequest[], slo: Slo): { readonly value: number; readonly what: LatencyName } | null {
  const ratios = (['ttftMs', 'interTokenMs', 'totalMs'] as const).flatMap((what) => {
    const objective = slo[what];
    const value = objective === null ? null : p99(requests.map((request) => latencyOf(request, what)));
    return value === null || objective === null ? [] : [{ value: value / objective, what }];
  });
  return ratios.reduce<(typeof ratios)[number] | null>(
    (worst, ratio) => (worst === null || ratio.value > worst.value ? ratio : worst),
    null,
  );
}

function latencyOf(request: WatchedRequest, what: LatencyName): number | null {
  if (what === 'ttftMs') return request.ttftMs;
  return what === 'interTokenMs' ? request.interTokenP99Ms : request.totalMs;
}

function p99(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < MIN_REQUESTS ? null : atPercentile(known, 0.99);
}

interface Point {
  readonly atMs: number;
  readonly subject: string;
  readonly value: number | null;
}

function ofSamples(rule: AlertRule, samples: readonly Sample[]): readonly Measured[] {
  const points = samples.flatMap((sample) => pointsOf(rule.metric, sample)).filter(({ value }) => value !== null);
  return [...Map.groupBy(points, ({ subject }) => subject)].flatMap(([subject, list]) => {
    const value = covers(list, rule.windowSeconds) ? mean(list.map((point) => point.value ?? 0)) : null;
    return value === null ? [] : [{ subject, value, what: null }];
  });
}

/** A condition that "holds over the window" needs samples from most of it: not after a start, a sleep or a lost sensor. */
function covers(points: readonly Point[], windowSeconds: number): boolean {
  const times = points.map(({ atMs }) => atMs);
  const spanMs = times.reduce((a, b) => Math.max(a, b), -Infinity) - times.reduce((a, b) => Math.min(a, b), Infinity);
  return points.length >= windowSeconds * MIN_COVERAGE && spanMs >= (windowSeconds - 1) * 1000 * MIN_SPAN;
}

function pointsOf(metric: AlertMetric, { atMs, devices, models }: Sample): readonly Point[] {
  switch (metric) {
    case 'queueDepth':
      return models.map(({ model, queueDepth }) => ({ atMs, subject: model, value: queueDepth }));
    case 'meanBatch':
      return models.map(({ model, meanBatch }) => ({ atMs, subject: model, value: meanBatch }));
    case 'gpuUtilisation':
      return devices.filter(isGpu).map(({ device, utilisation }) => ({ atMs, subject: device, value: utilisation }));
    case 'deviceMemoryShare':
      return devices.map(({ device, memoryUsedBytes, memoryTotalBytes }) => ({
        atMs,
        subject: device,
        value: memoryUsedBytes === null || !memoryTotalBytes ? null : memoryUsedBytes / memoryTotalBytes,
      }));
    case 'temperatureCelsius':
      return devices.map(({ device, temperatureCelsius }) => ({ atMs, subject: device, value: temperatureCelsius }));
    case 'latencyP99OverSlo':
    case 'errorRate':
    case 'costPerRequestUsd':
      return [];
  }
}

/** Devices are called `cpu`, `gpu0`, `gpu1`. */
function isGpu({ device }: { readonly device: string }): boolean {
  return device.startsWith('gpu');
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
