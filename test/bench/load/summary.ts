// Pure: what a load run amounts to, in the terms that the floors are stated in.
import { percentile, sum } from '../statistics.ts';
import type { Sample } from './response.ts';

/** A service level: a request counts when its first token and its inter-token p99 are within these. */
export interface Slo {
  readonly ttftMs: number;
  readonly itlP99Ms: number;
}

export const TIGHT_SLO: Slo = { ttftMs: 5_000, itlP99Ms: 150 };
export const WIDE_SLO: Slo = { ttftMs: 10_000, itlP99Ms: 300 };

export interface LoadSummary {
  readonly requests: number;
  readonly failed: number;
  /** From the first request sent to the last text received. */
  readonly wallMs: number;
  readonly outputTokensPerSecond: number;
  readonly requestsPerSecond: number;
  readonly ttftP50Ms: number;
  readonly ttftP95Ms: number;
  readonly itlP50Ms: number;
  readonly itlP99Ms: number;
  /** Output tokens per second of the requests within the SLO. */
  readonly goodput: number;
  readonly wideGoodput: number;
}

export function summarise(samples: readonly Sample[]): LoadSummary {
  const done = samples.filter((sample) => sample.ok);
  const wallMs = Math.max(...samples.map((sample) => sample.endMs)) - Math.min(...samples.map((sample) => sample.sentMs));
  const perSecond = (count: number): number => (count / wallMs) * 1000;
  const tokens = (of: readonly Sample[]): number => sum(of.map((sample) => sample.outputTokens));
  const ttfts = done.map((sample) => sample.ttftMs);
  const gaps = done.flatMap((sample) => sample.gapsMs);
  return {
    requests: samples.length,
    failed: samples.length - done.length,
    wallMs,
    outputTokensPerSecond: perSecond(tokens(done)),
    requestsPerSecond: perSecond(done.length),
    ttftP50Ms: percentile(ttfts, 50),
    ttftP95Ms: percentile(ttfts, 95),
    itlP50Ms: percentile(gaps, 50),
    itlP99Ms: percentile(gaps, 99),
    goodput: perSecond(tokens(done.filter((sample) => meets(sample, TIGHT_SLO)))),
    wideGoodput: perSecond(tokens(done.filter((sample) => meets(sample, WIDE_SLO)))),
  };
}

function meets(sample: Sample, slo: Slo): boolean {
  return sample.ttftMs <= slo.ttftMs && (sample.gapsMs.length === 0 || percentile(sample.gapsMs, 99) <= slo.itlP99Ms);
}
