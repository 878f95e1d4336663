// Owns the sums of money and tokens over a range, by group: whole days and hours from their sums, the edges from the requests.
import type { CostGroup, TimeRange } from '../../contract.ts';
import type { CostInput, CostSums } from '../cost/report.ts';
import { coverRange, type Segment } from './cover.ts';
import type { Database } from './database.ts';
import { type KeptFrom, readKeptFrom } from './kept.ts';
import { NO_KEY, NO_MODEL } from './record-facts.ts';
import { firstIdAt, IDS_PER_MS, PICO } from './request-row.ts';
import { requestLevels, ROWS } from './requests.ts';
import { GRAIN } from './rollup.ts';
import { checkRange, STEPS_MS } from './steps.ts';
import type { WordReader } from './words.ts';

/** All that a report needs but the prices of now. A range that begins before single requests are kept is widened to whole days. */
export type CostTotals = Omit<CostInput, 'settings' | 'quality'>;

/** @throws EngineError `invalid_request` for an empty range */
export function readCosts(db: Database, words: WordReader, range: TimeRange, by: CostGroup): CostTotals {
  checkRange(range);
  const kept = readKeptFrom(db);
  const segments = coverRange(range, requestLevels(kept.requests));
  const covered = { fromMs: segments[0]?.fromMs ?? range.fromMs, toMs: segments.at(-1)?.toMs ?? range.toMs };
  const cells = readCells(db, segments, by);
  const rows = [...cells].map(([group, sums]) => toSums(nameOf(group, by, words), sums));
  const sorted = by === 'day' ? rows.toSorted((a, b) => (a.group < b.group ? -1 : 1)) : rows.toSorted((a, b) => costOf(b) - costOf(a));
  return { range, by, rows: sorted, ...readServer(db, covered, kept) };
}

const costOf = ({ energyUsd, hardwareUsd, upstreamUsd }: CostSums): number => energyUsd + hardwareUsd + upstreamUsd;

/** Sums in the tables' units. */
interface Cells {
  readonly requests: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly device_us: number;
  readonly energy_uj: number;
  readonly energy_pico: number;
  readonly hardware_pico: number;
  readonly upstream_pico: number;
  readonly premium_pico: number;
}

const COLUMNS = [
  'prompt_tokens',
  'completion_tokens',
  'device_us',
  'energy_uj',
  'energy_pico',
  'hardware_pico',
  'upstream_pico',
  'premium_pico',
] as const satisfies readonly (keyof Cells)[];

function readCells(db: Database, segments: readonly Segment[], by: CostGroup): ReadonlyMap<number, Cells> {
  const groups = new Map<number, Cells>();
  const sums = COLUMNS.map((name) => `coalesce(sum(${name}), 0) AS ${name}`).join(', ');
  for (const { level, fromMs, toMs } of segments) {
    const [group, source, ...bounds] =
      level === ROWS
        ? [
            byDay(by, `id / ${IDS_PER_MS} / 86400000`),
            'count(*) AS requests FROM requests NOT INDEXED WHERE id >= ? AND id < ?',
            firstIdAt(fromMs),
            firstIdAt(toMs),
          ]
        : [byDay(by, 'at / 86400'), STATS_SOURCE, level === 0 ? GRAIN.day : GRAIN.hour, fromMs / 1000, toMs / 1000];
    const sql = `SELECT ${group} AS "group", ${sums}, ${source} GROUP BY 1`;
    for (const row of db.prepare<unknown[], Cells & { group: number }>(sql).all(...bounds))
      groups.set(row.group, addCells(groups.get(row.group), row));
  }
  return groups;
}

const STATS_SOURCE = 'sum(requests) AS requests FROM cost_stats WHERE grain = ? AND at >= ? AND at < ?';

const byDay = (by: CostGroup, day: string): string => (by === 'day' ? day : by);

function addCells(a: Cells | undefined, b: Cells): Cells {
  if (a === undefined) return b;
  const names = ['requests', ...COLUMNS] as const;
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as unknown as Cells;
}

function nameOf(group: number, by: CostGroup, words: WordReader): string {
  if (by === 'day') return new Date(group * 86_400_000).toISOString().slice(0, 10);
  return words.wordOf(group) ?? (by === 'key' ? NO_KEY : NO_MODEL);
}

function toSums(group: string, cells: Cells): CostSums {
  return {
    group,
    requests: cells.requests,
    promptTokens: cells.prompt_tokens,
    completionTokens: cells.completion_tokens,
    deviceSeconds: cells.device_us / 1e6,
    energyWh: cells.energy_uj / 1e6 / 3600,
    energyUsd: cells.energy_pico / PICO,
    hardwareUsd: cells.hardware_pico / PICO,
    upstreamUsd: cells.upstream_pico / PICO,
    premiumUsd: cells.premium_pico / PICO,
  };
}

interface ServerCells {
  readonly idle: number | null;
  readonly readings: number | null;
  readonly measured: number | null;
}

function readServer(
  db: Database,
  range: TimeRange,
  kept: KeptFrom,
): { readonly idleUsd: number; readonly powerMeasuredShare: number | null } {
  const levels = [
    { stepMs: STEPS_MS[GRAIN.day], keptFromMs: 0 },
    { stepMs: STEPS_MS[GRAIN.hour], keptFromMs: kept.hours },
    { stepMs: STEPS_MS[GRAIN.minute], keptFromMs: kept.minutes },
    { stepMs: STEPS_MS[GRAIN.second], keptFromMs: kept.seconds },
  ];
  const select = db.prepare<[number, number, number], ServerCells>(
    `SELECT sum(idle_pico) AS idle, sum(power_readings) AS readings, sum(power_measured) AS measured
     FROM server_stats WHERE grain = ? AND at >= ? AND at < ?`,
  );
  const parts = coverRange(range, levels).map(({ level, fromMs, toMs }) => select.get(GRAIN.day - level, fromMs / 1000, toMs / 1000));
  const sum = (value: (cells: ServerCells) => number | null): number =>
    parts.reduce((total, cells) => total + (cells === undefined ? 0 : (value(cells) ?? 0)), 0);
  const readings = sum((cells) => cells.readings);
  return {
    idleUsd: sum(({ idle }) => idle) / PICO,
    powerMeasuredShare: readings === 0 ? null : sum(({ measured }) => measured) / readings,
  };
}
