// Owns the rows of exported samples: one for the server, each device and each model of each step, at the finest grain that is whole.
import type { Database } from './database.ts';
import type { ExportRead, ExportSlice } from './export.ts';
import type { ExportRow } from './export-text.ts';
import { readKeptFrom } from './kept.ts';
import { PICO } from './request-row.ts';
import { GRAIN, stepAt } from './rollup.ts';
import type { SumOf } from './schema.ts';
import { STEPS_MS } from './steps.ts';
import type { WordReader } from './words.ts';

/** Values are means over the step; tokens, busy time and money are its sums. */
export const SAMPLE_COLUMNS = [
  'atMs',
  'stepMs',
  'kind',
  'name',
  'samples',
  'utilisation',
  'memoryUsedBytes',
  'memoryTotalBytes',
  'powerWatts',
  'powerMeasured',
  'temperatureCelsius',
  'queueDepth',
  'running',
  'slots',
  'kvUsedTokens',
  'meanBatch',
  'promptTokens',
  'completionTokens',
  'busyMs',
  'busyUsd',
  'idleUsd',
] as const;

const PIECE_STEPS = 100;

export function sampleRows({ db, words, query, after }: ExportRead): ExportSlice {
  const grain = after === null ? finestGrain(db, query.range.fromMs) : Number(after[0]);
  const start = after === null ? stepAt(query.range.fromMs, grain) - 1 : Number(after[1]);
  const select = db.prepare<[number, number, number, number], ServerRow>(
    'SELECT * FROM server_stats WHERE grain = ? AND at > ? AND at < ? ORDER BY at LIMIT ?',
  );
  const steps = select.all(grain, start, query.range.toMs / 1000, PIECE_STEPS);
  const end = steps.at(-1)?.at ?? start;
  const parts = { db, words, grain, start, end };
  const devices = Map.groupBy(deviceRows(parts), ({ atMs }) => atMs);
  const models = Map.groupBy(modelRows(parts), ({ atMs }) => atMs);
  const rows = steps.flatMap((step) => [serverRow(step), ...(devices.get(step.at * 1000) ?? []), ...(models.get(step.at * 1000) ?? [])]);
  return { rows, next: steps.length < PIECE_STEPS ? null : [grain, end] };
}

/** The finest grain from which nothing of the range has been deleted. */
function finestGrain(db: Database, fromMs: number): number {
  const kept = readKeptFrom(db);
  if (fromMs >= kept.seconds) return GRAIN.second;
  if (fromMs >= kept.minutes) return GRAIN.minute;
  return fromMs >= kept.hours ? GRAIN.hour : GRAIN.day;
}

interface Key {
  readonly grain: number;
  readonly at: number;
}
type ServerRow = Key & Readonly<Record<SumOf<'server_stats'>, number>>;
type DeviceRow = Key & Readonly<Record<SumOf<'device_stats'>, number>> & { readonly device: number };
type ModelRow = Key & Readonly<Record<SumOf<'model_stats'>, number>> & { readonly model: number };

interface Part {
  readonly db: Database;
  readonly words: WordReader;
  readonly grain: number;
  /** Steps after `start` up to `end`. */
  readonly start: number;
  readonly end: number;
}

const keyOf = ({ grain, at }: Key) => ({ atMs: at * 1000, stepMs: STEPS_MS[grain] ?? null });
const mean = (total: number, count: number, units = 1): number | null => (count === 0 ? null : total / count / units);

function serverRow(row: ServerRow): ExportRow {
  return { ...keyOf(row), kind: 'server', name: '', samples: row.samples, busyUsd: row.busy_pico / PICO, idleUsd: row.idle_pico / PICO };
}

function deviceRows({ db, words, grain, start, end }: Part): readonly ExportRow[] {
  const select = db.prepare<number[], DeviceRow>('SELECT * FROM device_stats WHERE grain = ? AND at > ? AND at <= ?');
  return select.all(grain, start, end).map((row) => ({
    ...keyOf(row),
    kind: 'device',
    name: words.wordOf(row.device),
    utilisation: mean(row.utilisation_ppm, row.utilisation_n, 1e6),
    memoryUsedBytes: mean(row.memory_bytes, row.memory_n),
    memoryTotalBytes: mean(row.memory_total_bytes, row.memory_total_n),
    powerWatts: mean(row.power_mw, row.power_n, 1000),
    powerMeasured: row.power_n === 0 ? null : row.power_measured_n === row.power_n,
    temperatureCelsius: mean(row.temperature_milli, row.temperature_n, 1000),
  }));
}

function modelRows({ db, words, grain, start, end }: Part): readonly ExportRow[] {
  const select = db.prepare<number[], ModelRow>('SELECT * FROM model_stats WHERE grain = ? AND at > ? AND at <= ?');
  return select.all(grain, start, end).map((row) => ({
    ...keyOf(row),
    kind: 'model',
    name: words.wordOf(row.model),
    samples: row.samples,
    queueDepth: mean(row.queue_depth, row.samples),
    running: mean(row.running, row.samples),
    slots: mean(row.slots, row.samples),
    kvUsedTokens: mean(row.kv_used_tokens, row.samples),
    meanBatch: mean(row.batch_milli, row.batch_n, 1000),
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    busyMs: row.busy_us / 1000,
  }));
}
