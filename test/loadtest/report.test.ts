// The report, the verdict and its words, from samples alone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestRow, Slo } from '../../engine/contract.ts';
import { makeReport, type Findings } from '../../engine/loadtest/report.ts';
import { reportHtml } from '../../engine/loadtest/report-html.ts';
import { comparison, reportText } from '../../engine/loadtest/report-text.ts';
import { summaryOf } from '../../engine/loadtest/reports.ts';
import type { Sample } from '../../engine/loadtest/send.ts';
import { loadTestReport, percentiles } from './factories.ts';

const SLO: Slo = { ttftMs: 1_000, interTokenMs: 100, totalMs: null };

function sample(i: number, over: Partial<Sample> = {}): Sample {
  const dueMs = i * 100;
  return {
    id: `loadtest-x-r${i}`,
    model: 'm',
    dueMs,
    sentMs: dueMs,
    firstMs: dueMs + 50,
    endMs: dueMs + 90,
    gapsMs: [20, 20],
    status: 200,
    failure: null,
    promptTokens: 10,
    completionTokens: 3,
    ...over,
  };
}

function report(samples: readonly Sample[], over: Partial<Findings> = {}) {
  return makeReport({
    id: '20261124-181500-3f2a',
    startedMs: 0,
    endedMs: 60_000,
    version: '0.1.0',
    asked: { profile: { kind: 'recorded' }, factor: 2, minutes: 1, url: null, model: null },
    source: 'the busiest 2 minutes',
    planned: samples.length,
    leftOut: [],
    samples,
    sloOf: () => SLO,
    recorded: null,
    memory: null,
    cores: 0.1,
    ...over,
  });
}

const many = (count: number, over: (i: number) => Partial<Sample> = () => ({})): Sample[] =>
  Array.from({ length: count }, (_, i) => sample(i, over(i)));

describe('makeReport', () => {
  it('passes what kept its objectives, by nearest rank', () => {
    const { verdict, requests, ttft, goodput, firstToGive, sentence } = report(many(100, (i) => ({ firstMs: i * 100 + i + 1 })));
    expect({ verdict, ttft }).toEqual({ verdict: 'passed', ttft: { p50: 50, p95: 95, p99: 99, max: 100 } });
    expect(requests).toEqual({ planned: 100, sent: 100, ok: 100, failed: 0, good: 100 });
    expect(goodput.share).toBe(1);
    expect(goodput.requestsPerSecond).toBeCloseTo(100 / 9.99, 5);
    expect(firstToGive.what).toBe('nothing');
    expect(sentence).toBe('Passed at 2 times the load: 100% of 100 requests kept their objectives.');
  });

  const row = (i: number, queueMs: number): RequestRow => ({ requestId: `loadtest-x-r${i}`, queueMs, loadMs: 0 }) as RequestRow;
  it.each([
    ['queue', (i: number) => ({ firstMs: i * 100 + 3_000, endMs: i * 100 + 3_100 }), (i: number) => row(i, 2_900)],
    ['prefill', (i: number) => ({ firstMs: i * 100 + 3_000, endMs: i * 100 + 3_100 }), (i: number) => row(i, 5)],
    ['decode', () => ({ gapsMs: [20, 500] }), (i: number) => row(i, 0)],
    ['refusals', () => ({ status: 429, failure: 'Too many.', firstMs: null }), (i: number) => row(i, 0)],
    ['errors', () => ({ status: 500, failure: 'It broke.', firstMs: null }), (i: number) => row(i, 0)],
  ] as const)('finds that %s gave way, from which second, and says what to do', (what, over, toRow) => {
    const samples = many(100, (i) => (i >= 50 ? over(i) : {}));
    const rows = samples.map((_, i) => toRow(i));
    const { verdict, firstToGive } = report(samples, { recorded: { rows, mostWaiting: 4 } });
    expect({ verdict, what: firstToGive.what, atMs: firstToGive.atMs }).toEqual({ verdict: 'failed', what, atMs: 5_000 });
    expect(firstToGive.advice.length).toBeGreaterThan(20);
  });

  it('decides nothing by too few requests, a late generator, or a part of the plan', () => {
    expect(report(many(10)).verdict).toBe('inconclusive');
    expect(report(many(100), { planned: 200 }).verdict).toBe('inconclusive');
    const late = report(many(100, (i) => ({ sentMs: i * 100 + 400 })));
    expect(late).toMatchObject({ verdict: 'inconclusive', firstToGive: { what: 'generator' } });
    expect(report([])).toMatchObject({ verdict: 'inconclusive', ttft: { p50: null } });
  });

  it('loses no request in the timeline, whatever they were', () => {
    const times = fc.array(fc.record({ dueMs: fc.nat(600_000), tookMs: fc.nat(60_000), failed: fc.boolean() }), { maxLength: 80 });
    fc.assert(
      fc.property(times, (list) => {
        const samples = list
          .toSorted((a, b) => a.dueMs - b.dueMs)
          .map(({ dueMs, tookMs, failed }, i) =>
            sample(i, {
              dueMs,
              sentMs: dueMs,
              firstMs: failed ? null : dueMs + tookMs,
              endMs: dueMs + tookMs,
              failure: failed ? 'x' : null,
            }),
          );
        const { timeline, requests, errors } = report(samples);
        expect(timeline.reduce((total, { due }) => total + due, 0)).toBe(samples.length);
        expect(timeline.reduce((total, { good }) => total + good, 0)).toBe(requests.good);
        expect(errors.reduce((total, { count }) => total + count, 0)).toBe(requests.failed);
        expect(timeline.length).toBeLessThanOrEqual(601);
      }),
    );
  });
});

describe('a report in words', () => {
  it('names the verdict, the figures and what changed since the last one', () => {
    const before = summaryOf(loadTestReport({ verdict: 'failed', ttft: percentiles(240) }));
    const text = reportText(loadTestReport({ errors: [{ status: 503, message: 'Full.', count: 2 }] }), before);
    for (const part of ['PASSED', 'TTFT       p50 120 ms', '2 × 503: Full.', 'failed; goodput 0%, TTFT p99 -50%'])
      expect(text).toContain(part);
    expect(comparison(loadTestReport(), summaryOf(loadTestReport({ ttft: percentiles(60) })))).toContain('TTFT p99 +100%');
  });

  it('is a page of its own that runs nothing from its texts', () => {
    const message = '<script>alert(1)</script>"&';
    const html = reportHtml({ ...report(many(100)), errors: [{ status: 500, message, count: 1 }] });
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;');
    expect(html).not.toContain('<script');
    expect(html.match(/<rect class="good"/g)?.length).toBe(10);
  });
});
