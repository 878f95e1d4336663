// Makes the report of a load test from what was planned, sent and recorded. Pure.
import type { LoadModelReport, LoadPoint, LoadTestReport, LoadTestRequest, Percentiles, RequestRow, Slo } from '../contract.ts';
import { atPercentile } from '../ledger/alerts/percentile.ts';
import { causeOf, ttftOf, type Cause } from './judge.ts';
import type { Sample } from './send.ts';
import { decideVerdict } from './verdict.ts';

export interface Findings {
  readonly id: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly version: string;
  readonly asked: Omit<LoadTestRequest, 'key'>;
  readonly source: string;
  readonly planned: number;
  readonly leftOut: LoadTestReport['leftOut'];
  readonly samples: readonly Sample[];
  readonly sloOf: (model: string) => Slo;
  /** What the server recorded of these requests; null where it is another's. */
  readonly recorded: { readonly rows: readonly RequestRow[]; readonly mostWaiting: number | null } | null;
  readonly memory: LoadTestReport['memory'];
  readonly cores: number;
}

/** A request with its judgement. */
export interface Judged {
  readonly sample: Sample;
  /** Null: it kept its objectives. */
  readonly cause: Cause | null;
}

const POINTS = 60;
const MOST_ERRORS = 20;

export function makeReport(findings: Findings): LoadTestReport {
  const { id, startedMs, endedMs, version, asked, source, planned, leftOut, samples, recorded, memory, cores } = findings;
  const judged = judge(findings);
  const ok = samples.filter(({ failure }) => failure === null);
  const good = judged.filter(({ cause }) => cause === null).map(({ sample }) => sample);
  const wallMs = Math.max(1, ends(samples).reduce((a, b) => Math.max(a, b), 0) - (samples[0]?.dueMs ?? 0));
  const rate = (of: readonly Sample[]) => ({
    requestsPerSecond: (of.length * 1_000) / wallMs,
    tokensPerSecond: (sum(of, ({ completionTokens }) => completionTokens) * 1_000) / wallMs,
  });
  const requests = { planned, sent: samples.length, ok: ok.length, failed: samples.length - ok.length, good: good.length };
  const timeline = timelineOf(judged);
  const late = percentiles(samples.map(({ sentMs, dueMs }) => Math.max(0, sentMs - dueMs)));
  const queue = queueOf(recorded);
  const errors = errorsOf(samples);
  return {
    id,
    startedMs,
    endedMs,
    version,
    asked,
    source,
    requests,
    leftOut,
    ...decideVerdict({ factor: asked.factor, requests, judged, timeline, late, queue, errors, memory }),
    goodput: { ...rate(good), share: samples.length === 0 ? 0 : good.length / samples.length },
    throughput: rate(ok),
    promptTokens: sum(ok, (sample) => sample.promptTokens),
    completionTokens: sum(ok, (sample) => sample.completionTokens),
    ttft: percentiles(ttfts(ok)),
    interToken: percentiles(ok.flatMap(({ gapsMs }) => gapsMs)),
    total: percentiles(ok.map((sample) => sample.endMs - sample.dueMs)),
    errors,
    queue,
    cost: costOf(recorded),
    memory,
    models: modelsOf(judged, findings.sloOf),
    timeline,
    generator: { late, cores },
  };
}

function judge({ samples, sloOf, recorded }: Findings): readonly Judged[] {
  const rows = new Map(recorded?.rows.map((row) => [row.requestId, row]));
  const open = openAt(samples);
  return samples.map((sample, i) => {
    const facts = { row: rows.get(sample.id) ?? null, open: open[i] ?? 0 };
    return { sample, cause: causeOf(sample, sloOf(sample.model), facts) };
  });
}

/** For each request how many earlier ones were under way when it was due. */
function openAt(samples: readonly Sample[]): readonly number[] {
  const sorted = ends(samples).sort((a, b) => a - b);
  let ended = 0;
  return samples.map(({ dueMs }, i) => {
    while ((sorted[ended] ?? Infinity) <= dueMs) ended++;
    return Math.max(0, i - ended);
  });
}

function timelineOf(judged: readonly Judged[]): readonly LoadPoint[] {
  const lastMs = judged.at(-1)?.sample.dueMs ?? 0;
  const stepMs = Math.max(1_000, Math.ceil((lastMs + 1) / POINTS / 1_000) * 1_000);
  const points = Math.ceil((lastMs + 1) / stepMs);
  return Array.from({ length: judged.length === 0 ? 0 : points }, (_, i) => {
    const [fromMs, toMs] = [i * stepMs, (i + 1) * stepMs];
    return pointOf(judged, fromMs, toMs);
  });
}

function pointOf(judged: readonly Judged[], fromMs: number, toMs: number): LoadPoint {
  const due = judged.filter(({ sample }) => sample.dueMs >= fromMs && sample.dueMs < toMs);
  const { p50, p99 } = percentiles(ttfts(due.map(({ sample }) => sample).filter(({ failure }) => failure === null)));
  return {
    atMs: fromMs,
    due: due.length,
    failed: due.filter(({ sample }) => sample.failure !== null).length,
    good: due.filter(({ cause }) => cause === null).length,
    ttftP50Ms: p50,
    ttftP99Ms: p99,
    open: judged.filter(({ sample }) => sample.dueMs < toMs && sample.endMs >= toMs).length,
  };
}

function modelsOf(judged: readonly Judged[], sloOf: Findings['sloOf']): readonly LoadModelReport[] {
  const byModel = Map.groupBy(judged, ({ sample }) => sample.model);
  return [...byModel].map(([model, of]) => {
    const ok = of.map(({ sample }) => sample).filter(({ failure }) => failure === null);
    const p99s = ok.flatMap(({ gapsMs }) => (gapsMs.length === 0 ? [] : [atPercentile(gapsMs, 0.99) ?? 0]));
    return {
      model,
      slo: sloOf(model),
      requests: of.length,
      failed: of.length - ok.length,
      good: of.filter(({ cause }) => cause === null).length,
      ttft: percentiles(ttfts(ok)),
      interToken: percentiles(p99s),
    };
  });
}

/** Commonest first. */
function errorsOf(samples: readonly Sample[]): LoadTestReport['errors'] {
  const failed = samples.filter(({ failure }) => failure !== null);
  const groups = Map.groupBy(failed, ({ status, failure }) => `${status}\n${failure}`);
  return [...groups.values()]
    .map((of) => ({ status: of[0]?.status ?? 0, message: of[0]?.failure ?? '', count: of.length }))
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_ERRORS);
}

function queueOf(recorded: Findings['recorded']): LoadTestReport['queue'] {
  if (recorded === null) return null;
  const waits = recorded.rows.flatMap(({ queueMs }) => (queueMs === null ? [] : [queueMs]));
  const { p50, p99 } = percentiles(waits);
  return { waitP50Ms: p50, waitP99Ms: p99, mostWaiting: recorded.mostWaiting };
}

function costOf(recorded: Findings['recorded']): LoadTestReport['cost'] {
  if (recorded === null || recorded.rows.length === 0) return null;
  const usd = sum(recorded.rows, ({ energyUsd, hardwareUsd, upstreamUsd }) => energyUsd + hardwareUsd + upstreamUsd);
  return { usd, usdPerRequest: usd / recorded.rows.length };
}

export function percentiles(values: readonly number[]): Percentiles {
  if (values.length === 0) return { p50: null, p95: null, p99: null, max: null };
  const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((share) => atPercentile(values, share));
  return { p50: p50 ?? null, p95: p95 ?? null, p99: p99 ?? null, max: max ?? null };
}

function ttfts(samples: readonly Sample[]): readonly number[] {
  return samples.flatMap((sample) => ttftOf(sample) ?? []);
}

function ends(samples: readonly Sample[]): number[] {
  return samples.map(({ endMs }) => endMs);
}

function sum<T>(of: readonly T[], value: (item: T) => number): number {
  return of.reduce((total, item) => total + value(item), 0);
}
