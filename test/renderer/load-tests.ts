// Load tests as the engine tells them: one that failed at twice the peak, one before it that passed, one under way.
import type { LoadTestReport, LoadTestRun } from '../../engine/contract.ts';
import { summaryOf } from '../../engine/loadtest/reports.ts';
import { loadTestReport, percentiles } from '../loadtest/factories.ts';

export function loadTestReports(): readonly LoadTestReport[] {
  const timeline = Array.from({ length: 30 }, (_, i) => ({
    atMs: i * 10_000,
    due: 10,
    failed: i > 20 ? 2 : 0,
    good: i > 20 ? 4 : 10,
    ttftP50Ms: 100 + i * 40,
    ttftP99Ms: 150 + i * 120,
    open: Math.floor(i / 3),
  }));
  const failed = loadTestReport({
    id: '20261124-191500-aaaa',
    startedMs: Date.UTC(2026, 10, 24, 19, 15),
    endedMs: Date.UTC(2026, 10, 24, 19, 20),
    verdict: 'failed',
    sentence: 'Failed at 2 times the load: 82% of 300 requests kept their objectives, of 99% needed. The queue gave way first.',
    requests: { planned: 300, sent: 300, ok: 282, failed: 18, good: 246 },
    goodput: { requestsPerSecond: 0.82, tokensPerSecond: 50, share: 0.82 },
    ttft: percentiles(3_600),
    errors: [{ status: 429, message: 'The queue of the model is full.', count: 18 }],
    firstToGive: { what: 'queue', atMs: 210_000, sentence: 'The queue gave way first.', advice: 'Give the model more slots (--slots).' },
    timeline,
  });
  return [failed, loadTestReport({ timeline })];
}

export const loadTestSummaries = () => loadTestReports().map(summaryOf);

export function loadTestRun(over: Partial<LoadTestRun> = {}): LoadTestRun {
  return {
    state: 'sending',
    asked: { profile: { kind: 'recorded' }, factor: 2, minutes: 5, url: null, model: null },
    startedMs: 1,
    step: 'Sending 300 requests',
    planned: 300,
    sent: 120,
    answered: 117,
    failed: 1,
    good: 114,
    ttftP50Ms: 140,
    etaMs: 180_000,
    reportId: null,
    reason: null,
    ...over,
  };
}
