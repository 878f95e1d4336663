// Alert rules in words. Pure.
import type { AlertMetric, AlertRule } from '../../../engine/contract.ts';
import { formatCount, formatShare, formatSpan, formatUsd } from '../format.ts';

interface MetricWords {
  readonly title: string;
  /** What a threshold is typed in. */
  readonly unit: string;
  readonly format: (value: number) => string;
}

const plain = (value: number): string => String(Number(value.toPrecision(4)));

export const METRIC_WORDS: Readonly<Record<AlertMetric, MetricWords>> = {
  latencyP99OverSlo: { title: 'P99 latency over its objective', unit: '× the objective', format: (value) => `${plain(value)} ×` },
  gpuUtilisation: { title: 'GPU utilisation', unit: 'share, 0 to 1', format: formatShare },
  queueDepth: { title: 'Queue depth', unit: 'requests', format: formatCount },
  errorRate: { title: 'Error rate', unit: 'share, 0 to 1', format: formatShare },
  costPerRequestUsd: { title: 'Cost per request', unit: '$', format: formatUsd },
  meanBatch: { title: 'Average batch', unit: 'sequences', format: plain },
  deviceMemoryShare: { title: 'Device memory', unit: 'share, 0 to 1', format: formatShare },
  temperatureCelsius: { title: 'Temperature', unit: '°C', format: (value) => `${plain(value)} °C` },
};

/** `Queue depth above 100 for 60 s, until below 80; with at least 1 request under way` */
export function describeRule({ metric, comparison, threshold, windowSeconds, clearThreshold, minLoad }: AlertRule): string {
  const { title, format } = METRIC_WORDS[metric];
  const other = comparison === 'above' ? 'below' : 'above';
  const load = minLoad === 0 ? '' : `; with ${plain(minLoad)} or more requests under way`;
  return `${title} ${comparison} ${format(threshold)} for ${formatSpan(windowSeconds * 1000)}, until ${other} ${format(clearThreshold)}${load}`;
}
