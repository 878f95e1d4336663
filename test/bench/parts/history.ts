// A generated year of history: how large its file is, and how long the queries of every screen take through the ledger's threads.
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SeriesName, type TimeRange } from '../../../engine/contract.ts';
import type { Ledger, RequestQuery } from '../../../engine/ledger/ledger.ts';
import { openLedger } from '../../../engine/ledger/sqlite-ledger.ts';
import { createLog } from '../../../engine/log.ts';
import type { BenchContext } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';
import { END_MS, generateHistory, type HistoryShape } from '../history/generate.ts';
import { percentile } from '../statistics.ts';

const FULL: HistoryShape = { days: 365, requestsPerDay: 20_000 };
const SMOKE: HistoryShape = { days: 9, requestsPerDay: 500 };
const GOAL_MS = 50;
const GOAL_MIB = 200;

export async function historyPart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('history');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-history-'));
  try {
    const path = join(folder, 'history.db');
    generateHistory(path, context.smoke ? SMOKE : FULL, (line) => context.log(line));
    const { size } = await stat(path);
    figures.add('ours', size / 2 ** 20, { name: 'file', unit: 'MiB', better: 'lower', valueGoal: GOAL_MIB });
    for (let round = 0; round < context.reps; round++) await measureRound(path, context, figures);
  } finally {
    await rm(folder, { recursive: true });
  }
  return figures.list();
}

async function measureRound(path: string, context: BenchContext, figures: Figures): Promise<void> {
  // The clock stands at the end of the history, so that nothing of it expires.
  const startedMs = performance.now();
  const ledger = await openLedger({ path, log: createLog('error'), now: () => END_MS });
  await ledger.alertHistory(1);
  figures.add('ours', performance.now() - startedMs, { name: 'open to first answer', unit: 'ms', better: 'lower' });
  try {
    for (const [name, ask] of Object.entries(QUERIES)) {
      const times = await timesOf(context.smoke ? 3 : 40, (turn) => ask(ledger, turn));
      figures.add('ours', percentile(times, 50), { name: `${name}: p50`, unit: 'ms', better: 'lower', valueGoal: GOAL_MS });
      figures.add('ours', percentile(times, 99), { name: `${name}: p99`, unit: 'ms', better: 'lower', valueGoal: GOAL_MS });
    }
  } finally {
    await ledger.close();
  }
}

async function timesOf(turns: number, ask: (turn: number) => Promise<unknown>): Promise<readonly number[]> {
  const times = [];
  for (let turn = 0; turn < turns; turn++) {
    const startedMs = performance.now();
    await ask(turn);
    times.push(performance.now() - startedMs);
  }
  return times;
}

type Query = (ledger: Ledger, turn: number) => Promise<unknown>;

const HOURS = 3_600_000;
const DAYS = 24 * HOURS;
const NOW_NAMES: readonly SeriesName[] = ['tokensPerSecond', 'ttftP50Ms', 'ttftP99Ms', 'queueDepth', 'meanBatch'];
const HISTORY_NAMES: readonly SeriesName[] = [
  ...NOW_NAMES,
  'requests',
  'errors',
  'interTokenP50Ms',
  'interTokenP99Ms',
  'totalP50Ms',
  'totalP99Ms',
  'waitP50Ms',
  'waitP99Ms',
  'costUsd',
  'premiumUsd',
  'idleUsd',
];

/** A range of this length that ends a little earlier each turn, as on a screen that is looked at for a while. */
const last = (lengthMs: number, turn: number): TimeRange => ({ fromMs: END_MS - lengthMs - turn * 977, toMs: END_MS - turn * 977 });

const series =
  (lengthMs: number, names: readonly SeriesName[], of = 'all'): Query =>
  (ledger, turn) =>
    ledger.series({ range: last(lengthMs, turn), stepMs: null, names, of });

const requests =
  (lengthMs: number, query: Partial<RequestQuery>): Query =>
  (ledger, turn) =>
    ledger.requests({ range: last(lengthMs, turn), filter: {}, order: 'newest', limit: 100, cursor: null, ...query });

const costs =
  (lengthMs: number, by: 'model' | 'key' | 'endpoint' | 'day'): Query =>
  (ledger, turn) =>
    ledger.costs(last(lengthMs, turn), by);

const QUERIES: Readonly<Record<string, Query>> = {
  'series, 10 minutes by the second': series(10 * 60_000, NOW_NAMES),
  'series, 25 minutes by the second, all figures': series(1_490_000, HISTORY_NAMES),
  'series, a day by the minute, all figures': series(DAYS, HISTORY_NAMES),
  'series, 60 days by the hour, all figures': series(60 * DAYS, HISTORY_NAMES),
  'series, 60 days by the hour, one model': series(60 * DAYS, HISTORY_NAMES, 'qwen3-4b-instruct'),
  'series, a year by the day, all figures': series(365 * DAYS, HISTORY_NAMES),
  'series, a device, a day by the minute': series(DAYS, ['utilisation', 'memoryUsedBytes', 'powerWatts', 'temperatureCelsius'], 'gpu0'),
  'requests, newest of a day': requests(DAYS, {}),
  'requests, newest of 30 days': requests(30 * DAYS, {}),
  'requests, slowest of a day': requests(DAYS, { order: 'slowest' }),
  'requests, slowest of 30 days': requests(30 * DAYS, { order: 'slowest' }),
  'requests, costliest of 30 days': requests(30 * DAYS, { order: 'costliest' }),
  'requests, slowest of 30 days of a rare tenant': requests(30 * DAYS, {
    order: 'slowest',
    filter: { tenant: 'tenant-7', outcome: 'error' },
  }),
  'requests, newest of 30 days of a rare tenant': requests(30 * DAYS, { filter: { tenant: 'tenant-7', outcome: 'error' } }),
  'requests, longer than 30 s, newest of 30 days': requests(30 * DAYS, { filter: { minTotalMs: 30_000 } }),
  'requests, search in a day': requests(DAYS, { filter: { search: 'a1b2' } }),
  'requests, search in 7 days': requests(7 * DAYS, { filter: { search: 'a1b2' } }),
  'requests, search in 30 days': requests(30 * DAYS, { filter: { search: 'a1b2' } }),
  'costs, a day by model': costs(DAYS, 'model'),
  'costs, 30 days by day': costs(30 * DAYS, 'day'),
  'costs, a year by key': costs(365 * DAYS, 'key'),
  'costs, a year by day': costs(365 * DAYS, 'day'),
};
