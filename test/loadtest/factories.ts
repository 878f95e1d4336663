// A report with named defaults.
import type { LoadTestReport, Percentiles } from '../../engine/contract.ts';

export const percentiles = (value: number): Percentiles => ({ p50: value, p95: value, p99: value, max: value });

export function loadTestReport(over: Partial<LoadTestReport> = {}): LoadTestReport {
  return {
    id: '20261124-181500-3f2a',
    startedMs: Date.UTC(2026, 10, 24, 18, 15),
    endedMs: Date.UTC(2026, 10, 24, 18, 20),
    version: '0.1.0',
    asked: { profile: { kind: 'recorded' }, factor: 2, minutes: 5, url: null, model: null },
    source: 'the busiest 10 minutes of 2026-11-20 14:00 UTC',
    verdict: 'passed',
    sentence: 'Passed at 2 times the load: 99% of the requests kept their objectives.',
    requests: { planned: 100, sent: 100, ok: 100, failed: 0, good: 99 },
    leftOut: [],
    goodput: { requestsPerSecond: 0.33, tokensPerSecond: 21, share: 0.99 },
    throughput: { requestsPerSecond: 0.33, tokensPerSecond: 21.3 },
    promptTokens: 9000,
    completionTokens: 6400,
    ttft: percentiles(120),
    interToken: percentiles(20),
    total: percentiles(1500),
    errors: [],
    queue: { waitP50Ms: 0, waitP99Ms: 40, mostWaiting: 2 },
    cost: { usd: 0.02, usdPerRequest: 0.0002 },
    memory: { peakBytes: 9e9, totalBytes: 16e9 },
    firstToGive: { what: 'nothing', atMs: null, sentence: 'Nothing gave way.', advice: 'Nothing needs to change.' },
    models: [],
    timeline: [],
    generator: { late: percentiles(1), cores: 0.1 },
    ...over,
  };
}
