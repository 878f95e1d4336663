// Judges single requests of a load test: whether each kept its model's objectives, and what kept it from them. Pure.
import type { FirstToGive, RequestRow, Slo } from '../contract.ts';
import { atPercentile } from '../ledger/alerts/percentile.ts';
import type { Sample } from './send.ts';

export type Cause = Exclude<FirstToGive, 'nothing' | 'generator'>;

/** From the moment at which it was due. */
export function ttftOf({ firstMs, dueMs }: Sample): number | null {
  return firstMs === null ? null : firstMs - dueMs;
}

/** Null for a request that kept them. `row`: what the server recorded of it; `open`: others under way when it was due. */
export function causeOf(sample: Sample, slo: Slo, { row, open }: { readonly row: RequestRow | null; readonly open: number }): Cause | null {
  if (sample.failure !== null) return sample.status === 429 || sample.status === 503 ? 'refusals' : 'errors';
  const ttft = ttftOf(sample);
  if (ttft !== null && exceeds(ttft, slo.ttftMs)) return isQueued(row, ttft, open) ? 'queue' : 'prefill';
  const gap = sample.gapsMs.length === 0 ? null : atPercentile(sample.gapsMs, 0.99);
  if (gap !== null && exceeds(gap, slo.interTokenMs)) return 'decode';
  return exceeds(sample.endMs - sample.dueMs, slo.totalMs) ? 'decode' : null;
}

function exceeds(value: number, limit: number | null): boolean {
  return limit !== null && value > limit;
}

/** Where the server is another's and tells nothing, requests under way are taken for a queue. */
function isQueued(row: RequestRow | null, ttft: number, open: number): boolean {
  if (row === null || row.queueMs === null) return open > 0;
  return row.queueMs - (row.loadMs ?? 0) >= ttft / 2;
}
