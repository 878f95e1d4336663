// Owns the words of an alert: what it is about, the figure, and what that indicates.
import type { AlertMetric, AlertRule } from '../../contract.ts';
import type { LatencyName, Measured } from './window.ts';

/** Such as "Queue of smollm2: 143 requests wait, above the limit of 100. Requests arrive faster …". */
export function sentenceOf(rule: AlertRule, { subject, value, what }: Measured): string {
  const limit = `${rule.comparison} the limit of ${figure(rule.metric, rule.threshold)}`;
  return `${lead(rule.metric, subject, what)} ${figure(rule.metric, value)}, ${limit}. ${rule.indicates}`;
}

const LATENCY: Readonly<Record<LatencyName, string>> = {
  ttftMs: 'time to first token',
  interTokenMs: 'inter-token latency',
  totalMs: 'total time',
};

function lead(metric: AlertMetric, subject: string | null, what: LatencyName | null): string {
  const of = subject ?? 'the server';
  switch (metric) {
    case 'latencyP99OverSlo':
      return `The P99 ${LATENCY[what ?? 'totalMs']} of ${of} over its objective is`;
    case 'gpuUtilisation':
      return `The utilisation of ${of} is`;
    case 'queueDepth':
      return `The queue of ${of} is`;
    case 'errorRate':
      return `The error rate of ${of} is`;
    case 'costPerRequestUsd':
      return 'The mean cost of a request is';
    case 'meanBatch':
      return `The mean batch of ${of} is`;
    case 'deviceMemoryShare':
      return `The memory in use on ${of} is`;
    case 'temperatureCelsius':
      return `The temperature of ${of} is`;
  }
}

function figure(metric: AlertMetric, value: number): string {
  switch (metric) {
    case 'latencyP99OverSlo':
      return `${round(value, 2)}×`;
    case 'gpuUtilisation':
    case 'errorRate':
    case 'deviceMemoryShare':
      return `${round(value * 100, 1)}%`;
    case 'queueDepth':
      return `${round(value, 0)} request${round(value, 0) === '1' ? '' : 's'}`;
    case 'costPerRequestUsd':
      return `$${Number(value.toPrecision(3))}`;
    case 'meanBatch':
      return round(value, 1);
    case 'temperatureCelsius':
      return `${round(value, 0)} °C`;
  }
}

function round(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
