// An honest stand-in for the history: everything stays in memory, queries compute from the records themselves, nothing is rolled up.
import type { AlertEvent, CostGroup, CostReport, RequestPage, RequestRow, SeriesAnswer, SeriesName } from '../../engine/contract.ts';
import type { Settings, TimeRange } from '../../engine/contract.ts';
import type {
  ExportQuery,
  Ledger,
  LedgerHealth,
  RequestQuery,
  RequestRecord,
  Sample,
  SeriesQuery,
  SettingsPatch,
} from '../../engine/ledger/ledger.ts';
import { type CostSums, finishCostReport } from '../../engine/ledger/cost/report.ts';
import { DEFAULT_SETTINGS } from '../../engine/ledger/settings/defaults.ts';
import { applyPatch } from '../../engine/ledger/settings/validate.ts';
import { NO_KEY, NO_MODEL, costOf, endOf, isCacheHit, isError } from '../../engine/ledger/store/record-facts.ts';
import { chooseStep, stepStart, stepStarts } from '../../engine/ledger/store/steps.ts';

export class FakeLedger implements Ledger {
  /** Everything handed in, in order. */
  readonly records: RequestRow[] = [];
  readonly samples: Sample[] = [];
  readonly alerts: AlertEvent[] = [];
  readonly #listeners = new Set<(settings: Settings) => void>();
  settings: Settings;
  health: LedgerHealth = { kind: 'ok' };
  isClosed = false;

  constructor(patch: SettingsPatch = {}) {
    this.settings = applyPatch(DEFAULT_SETTINGS, patch);
  }

  record(request: RequestRecord): void {
    this.records.push({ ...request, rowId: this.records.length + 1 });
  }

  sample(sample: Sample): void {
    this.samples.push(sample);
  }

  /** An event of the same id replaces the earlier one, as when it ends. */
  alert(event: AlertEvent): void {
    const at = this.alerts.findIndex(({ id }) => id === event.id);
    this.alerts.splice(at === -1 ? this.alerts.length : at, 1, event);
  }

  async changeSettings(patch: SettingsPatch): Promise<Settings> {
    this.settings = applyPatch(this.settings, patch);
    for (const listener of this.#listeners) listener(this.settings);
    return this.settings;
  }

  onSettings(listener: (settings: Settings) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async series(query: SeriesQuery): Promise<SeriesAnswer> {
    return this.seriesNow(query);
  }

  seriesNow({ range, stepMs, names, of }: SeriesQuery): SeriesAnswer {
    const step = chooseStep(range, stepMs);
    const atMs = stepStarts(range, step);
    const values = names.map((name) => [name, atMs.map((start) => this.#point(name, of, start, step))] as const);
    return { range, stepMs: step, of, atMs, values: Object.fromEntries(values) };
  }

  async requests(query: RequestQuery): Promise<RequestPage> {
    return this.requestsNow(query);
  }

  requestsNow({ range, filter, order, limit, cursor }: RequestQuery): RequestPage {
    const { search = '', minTotalMs = 0, ...equal } = filter;
    const matching = this.records.filter(
      (row) =>
        inRange(endOf(row), range) &&
        row.totalMs >= minTotalMs &&
        (Object.keys(equal) as (keyof typeof equal)[]).every((key) => row[key] === equal[key]) &&
        [row.requestId, row.model ?? '', row.errorCode ?? ''].some((text) => text.includes(search)),
    );
    const rank = { newest: endOf, slowest: (row: RequestRow) => row.totalMs, costliest: costOf }[order];
    const sorted = matching.toSorted((a, b) => rank(b) - rank(a) || b.rowId - a.rowId);
    const start = Number(cursor ?? 0);
    const next = start + limit;
    return { rows: sorted.slice(start, next), total: sorted.length, cursor: next < sorted.length ? String(next) : null };
  }

  async request(rowId: number): Promise<RequestRow | undefined> {
    return this.records.find((row) => row.rowId === rowId);
  }

  async costs(range: TimeRange, by: CostGroup): Promise<CostReport> {
    return this.costsNow(range, by);
  }

  costsNow(range: TimeRange, by: CostGroup): CostReport {
    const rows = this.records.filter((row) => inRange(endOf(row), range));
    const groups = Map.groupBy(rows, (row) => groupOf(row, by));
    const samples = this.samples.filter(({ atMs }) => inRange(atMs, range));
    const readings = samples.flatMap(({ devices }) => devices.filter(({ powerWatts }) => powerWatts !== null));
    return finishCostReport({
      range,
      by,
      rows: [...groups].map(([group, members]) => sumCosts(group, members)),
      idleUsd: samples.reduce((sum, sample) => sum + sample.idleUsd, 0),
      powerMeasuredShare: readings.length === 0 ? null : readings.filter(({ powerMeasured }) => powerMeasured).length / readings.length,
      quality: { kind: 'not_measured' },
      settings: this.settings.cost,
    });
  }

  async alertHistory(limit: number): Promise<readonly AlertEvent[]> {
    return this.alerts.toSorted((a, b) => b.sinceMs - a.sinceMs).slice(0, limit);
  }

  /** JSON lines whatever the format: the columns of CSV are the real ledger's business. */
  async *export({ table, range }: ExportQuery, signal: AbortSignal): AsyncIterable<string> {
    const rows = {
      requests: this.records.filter((row) => inRange(endOf(row), range)),
      samples: this.samples.filter(({ atMs }) => inRange(atMs, range)),
      alerts: this.alerts.filter(({ sinceMs }) => inRange(sinceMs, range)),
    }[table];
    for (const row of rows) {
      if (signal.aborted) return;
      yield `${JSON.stringify(row)}\n`;
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #point(name: SeriesName, of: string, start: number, step: number): number | null {
    const isHere = (atMs: number): boolean => stepStart(atMs, step) === start;
    const samples = this.samples.filter(({ atMs }) => isHere(atMs));
    const rows = this.records.filter((row) => isHere(endOf(row)) && (of === 'all' || row.model === of));
    const isGap = samples.length === 0 && rows.length === 0;
    return isGap ? null : (ofRequests(name, rows) ?? ofSamples(name, of, samples));
  }
}

function ofRequests(name: SeriesName, rows: readonly RequestRow[]): number | null {
  const sum = (value: (row: RequestRow) => number): number => rows.reduce((total, row) => total + value(row), 0);
  const percentile = (value: (row: RequestRow) => number | null, share: number): number | null => {
    const sorted = rows.flatMap((row) => value(row) ?? []).toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  };
  const table: Partial<Record<SeriesName, () => number | null>> = {
    requests: () => rows.length,
    errors: () => rows.filter(isError).length,
    promptTokens: () => sum((row) => row.promptTokens),
    completionTokens: () => sum((row) => row.completionTokens),
    cacheHits: () => rows.filter(isCacheHit).length,
    costUsd: () => sum(costOf),
    premiumUsd: () => sum((row) => row.premiumUsd ?? 0),
    ttftP50Ms: () => percentile((row) => row.ttftMs, 0.5),
    ttftP99Ms: () => percentile((row) => row.ttftMs, 0.99),
    interTokenP50Ms: () => percentile((row) => row.interTokenP50Ms, 0.5),
    interTokenP99Ms: () => percentile((row) => row.interTokenP99Ms, 0.99),
    totalP50Ms: () => percentile((row) => row.totalMs, 0.5),
    totalP99Ms: () => percentile((row) => row.totalMs, 0.99),
    waitP50Ms: () => percentile((row) => row.queueMs, 0.5),
    waitP99Ms: () => percentile((row) => row.queueMs, 0.99),
  };
  return table[name]?.() ?? null;
}

function ofSamples(name: SeriesName, of: string, samples: readonly Sample[]): number | null {
  if (samples.length === 0) return null;
  const models = samples.flatMap((sample) => sample.models.filter(({ model }) => of === 'all' || model === of));
  const devices = samples.flatMap((sample) => sample.devices.filter(({ device }) => of === 'all' || device === of));
  const perSecond = (values: readonly number[]): number | null =>
    values.length === 0 && of !== 'all' ? null : values.reduce((a, b) => a + b, 0) / samples.length;
  const mean = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
  };
  /** Of all devices together, on average. */
  const total = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return of === 'all' && known.length > 0 ? perSecond(known) : mean(known);
  };
  const table: Partial<Record<SeriesName, () => number | null>> = {
    tokensPerSecond: () => perSecond(models.map(({ completionTokens }) => completionTokens)),
    queueDepth: () => perSecond(models.map(({ queueDepth }) => queueDepth)),
    running: () => perSecond(models.map(({ running }) => running)),
    kvUsedTokens: () => perSecond(models.map(({ kvUsedTokens }) => kvUsedTokens)),
    meanBatch: () => mean(models.map(({ meanBatch }) => meanBatch)),
    idleUsd: () => samples.reduce((sum, { idleUsd }) => sum + idleUsd, 0),
    utilisation: () => mean(devices.map(({ utilisation }) => utilisation)),
    memoryUsedBytes: () => total(devices.map(({ memoryUsedBytes }) => memoryUsedBytes)),
    powerWatts: () => total(devices.map(({ powerWatts }) => powerWatts)),
    temperatureCelsius: () => mean(devices.map(({ temperatureCelsius }) => temperatureCelsius)),
  };
  return table[name]?.() ?? null;
}

function sumCosts(group: string, rows: readonly RequestRow[]): CostSums {
  const sum = (value: (row: RequestRow) => number): number => rows.reduce((total, row) => total + value(row), 0);
  return {
    group,
    requests: rows.length,
    promptTokens: sum((row) => row.promptTokens),
    completionTokens: sum((row) => row.completionTokens),
    deviceSeconds: sum((row) => row.deviceMs) / 1000,
    energyWh: sum((row) => row.energyJoules) / 3600,
    energyUsd: sum((row) => row.energyUsd),
    hardwareUsd: sum((row) => row.hardwareUsd),
    upstreamUsd: sum((row) => row.upstreamUsd),
    premiumUsd: sum((row) => row.premiumUsd ?? 0),
  };
}

function groupOf(row: RequestRow, by: CostGroup): string {
  switch (by) {
    case 'model':
      return row.model ?? NO_MODEL;
    case 'key':
      return row.key ?? NO_KEY;
    case 'endpoint':
      return row.endpoint;
    case 'day':
      return new Date(endOf(row)).toISOString().slice(0, 10);
  }
}

const inRange = (atMs: number, { fromMs, toMs }: TimeRange): boolean => atMs >= fromMs && atMs < toMs;
