// Gathers what the checklist is judged by from the books and the router. Decides nothing.
import type { DrillReport, ModelStatus, RouterNow, SeriesAnswer, SeriesName } from '../contract.ts';
import type { BatchControl, Owner } from '../jobs/batches/batch-control.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { BatchEvidence, Evidence, LoadTestEvidence, RoutingEvidence, Traffic, VariantEvidence } from './evidence.ts';

export interface Sources {
  readonly ledger: Pick<Ledger, 'series' | 'costs' | 'settings'>;
  readonly models: () => readonly ModelStatus[];
  readonly router: (() => RouterNow) | null;
  readonly batches: Pick<BatchControl, 'view'>;
  readonly drill: () => DrillReport | null;
  /** Newest test at twice the peak. */
  readonly loadTest: () => Promise<LoadTestEvidence | null>;
  readonly canLoadTest: boolean;
  readonly variants: () => Promise<readonly VariantEvidence[]>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** Fewer say nothing about an hour. */
const LEAST_MINUTES = 60;
const HOURLY = ['requests', 'errors', 'cacheHits', 'waitP99Ms', 'ttftP99Ms', 'utilisation'] as const satisfies readonly SeriesName[];
/** Whoever looks at the checklist administers the server. */
const EVERYBODY: Owner = { tenant: 'local', keyId: null, seesAll: true };

/** @throws EngineError `history_unavailable` and what else the books throw */
export async function gather(sources: Sources, nowMs: number): Promise<Evidence> {
  const { ledger, models, router, batches, drill, loadTest, variants } = sources;
  const week = { fromMs: nowMs - WEEK_MS, toMs: nowMs };
  const day = { fromMs: nowMs - DAY_MS, toMs: nowMs };
  const [hours, minutes, costs, dayCosts, view, test, measured] = await Promise.all([
    ledger.series({ range: week, stepMs: HOUR_MS, names: HOURLY, of: 'all' }),
    ledger.series({ range: day, stepMs: 60_000, names: ['running', 'meanBatch', 'utilisation'], of: 'all' }),
    ledger.costs(week, 'model'),
    ledger.costs(day, 'model'),
    batches.view(EVERYBODY),
    loadTest(),
    variants(),
  ]);
  return {
    atMs: nowMs,
    models: models(),
    settings: ledger.settings,
    traffic: trafficOf(hours, minutes),
    costs,
    dayDevicesUsd: dayCosts.total.devicesUsd,
    canLoadTest: sources.canLoadTest,
    routing: router === null ? null : routingOf(router()),
    batches: batchesOf(view),
    loadTest: test,
    drill: drill(),
    variants: measured,
  };
}

export function trafficOf(hours: SeriesAnswer, minutes: SeriesAnswer): Traffic {
  const of = (name: SeriesName): readonly number[] => (hours.values[name] ?? []).filter((value) => value !== null);
  const sampledMinutes = (minutes.values.utilisation ?? []).filter((value) => value !== null).length;
  const shares = of('utilisation');
  // The hour under way is no whole one.
  const whole = shares.length > 1 ? shares.slice(0, -1) : shares;
  const utilisation = whole.length > 1 || sampledMinutes >= LEAST_MINUTES ? whole : [];
  return {
    requests: sum(of('requests')),
    errors: sum(of('errors')),
    cacheHits: sum(of('cacheHits')),
    meanBatchUnderLoad: meanBatchUnderLoad(minutes),
    waitP99Ms: greatest(of('waitP99Ms')),
    ttftP99Ms: greatest(of('ttftP99Ms')),
    utilisation: mean(utilisation),
    peakUtilisation: greatest(utilisation),
    sampledMinutes,
  };
}

function meanBatchUnderLoad({ values }: SeriesAnswer): number | null {
  const { running = [], meanBatch = [] } = values;
  const loaded = meanBatch.flatMap((batch, index) => (batch !== null && (running[index] ?? 0) >= 2 ? [batch] : []));
  return mean(loaded);
}

function routingOf({ targets, decisions, quality }: RouterNow): RoutingEvidence {
  const usable = targets.filter(({ excluded }) => excluded === null);
  return { tiers: [...new Set(usable.map(({ tier }) => tier))], targets: usable.length, routed: decisions.length, quality };
}

function batchesOf({ activity, batches }: Awaited<ReturnType<BatchControl['view']>>): BatchEvidence {
  return {
    rows: sum(batches.map(({ completed, failed }) => completed + failed)),
    spotUsd: sum(batches.map(({ cost }) => cost.spotUsd)),
    interactiveUsd: sum(batches.map(({ cost }) => cost.interactiveUsd)),
    waiting: activity.kind === 'waiting' ? activity.reason : null,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number | null => (values.length === 0 ? null : sum(values) / values.length);
const greatest = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.max(...values));
