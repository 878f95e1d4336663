// Owns how rolled-up rows become series, one value for each step.
import { type SeriesAnswer, type SeriesName, type SeriesStepMs } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { SeriesQuery } from '../ledger.ts';
import type { Database } from './database.ts';
import { type Histogram, addEncoded, quantile } from './histogram.ts';
import { STATS, type StatsTable } from './schema.ts';
import { SERIES_SOURCES, type StepSums } from './series-sources.ts';
import { chooseStep, STEPS_MS, stepStarts } from './steps.ts';
import type { WordReader } from './words.ts';

/** @throws EngineError `invalid_request` for a range or step outside the limits, or a name that is no series */
export function readSeries(db: Database, words: WordReader, query: SeriesQuery): SeriesAnswer {
  const { range, names, of } = query;
  const unknown = names.find((name) => !(name in SERIES_SOURCES));
  if (unknown !== undefined) throw new EngineError('invalid_request', `There is no series ${unknown}.`, { param: 'names' });
  const stepMs = chooseStep(range, query.stepMs);
  const atMs = stepStarts(range, stepMs);
  const frame: Frame = { db, stepMs, atMs, word: of === 'all' ? null : (words.idOf(of) ?? NOT_RECORDED) };
  const tables = new Map<StatsTable, readonly Row[]>();
  for (const table of new Set(names.map((name) => SERIES_SOURCES[name].table))) tables.set(table, readTable(frame, table, names));
  const seconds = readSeconds(frame);
  const values = names.map(
    (name) => [name, valuesOf(name, { frame, seconds, rows: tables.get(SERIES_SOURCES[name].table) ?? [] })] as const,
  );
  return { range, stepMs, of, atMs, values: Object.fromEntries(values) };
}

/** No row has this word. */
const NOT_RECORDED = -1;

interface Frame {
  readonly db: Database;
  readonly stepMs: SeriesStepMs;
  readonly atMs: readonly number[];
  /** Null: rows of every model or device. */
  readonly word: number | null;
}

type Row = Readonly<Record<string, number | Buffer | null>>;

/** The rows of the range with the columns that the named series need. */
function readTable(frame: Frame, table: StatsTable, names: readonly SeriesName[]): readonly Row[] {
  const sources = names.map((name) => SERIES_SOURCES[name]).filter((source) => source.table === table);
  const columns = new Set(sources.flatMap(({ sums, histogram }) => (histogram === null ? sums : [...sums, histogram])));
  const subject: string | undefined = STATS[table].keys[2];
  const filter = subject === undefined || frame.word === null ? '' : `AND ${subject} = ${frame.word}`;
  return select(frame, `SELECT ${['at', ...columns].join(', ')} FROM ${table} WHERE grain = ? AND at >= ? AND at <= ? ${filter}`);
}

function readSeconds(frame: Frame): ReadonlyMap<number, number> {
  const rows = select(frame, 'SELECT at, samples FROM server_stats WHERE grain = ? AND at >= ? AND at <= ?');
  return new Map(rows.map(({ at, samples }) => [Number(at), Number(samples)]));
}

function select({ db, stepMs, atMs }: Frame, sql: string): readonly Row[] {
  const bounds = [atMs[0] ?? 0, atMs.at(-1) ?? 0].map((ms) => ms / 1000);
  return db.prepare<unknown[], Row>(sql).all(STEPS_MS.indexOf(stepMs), ...bounds);
}

interface Recorded {
  readonly frame: Frame;
  readonly seconds: ReadonlyMap<number, number>;
  readonly rows: readonly Row[];
}

function valuesOf(name: SeriesName, { frame, seconds, rows }: Recorded): readonly (number | null)[] {
  const { value } = SERIES_SOURCES[name];
  const steps = Map.groupBy(rows, ({ at }) => Number(at));
  return frame.atMs.map((ms) => {
    const at = ms / 1000;
    return value(stepSums(steps.get(at) ?? [], seconds.get(at) ?? 0, frame.word === null));
  });
}

function stepSums(rows: readonly Row[], seconds: number, isAll: boolean): StepSums {
  return {
    seconds,
    isAll,
    isRecorded: rows.length > 0,
    sum: (column) => rows.reduce((total, row) => total + Number(row[column] ?? 0), 0),
    quantile: (column, share) => {
      const histogram: Histogram = new Map();
      for (const row of rows) {
        const cell = row[column];
        if (cell instanceof Uint8Array) addEncoded(histogram, cell);
      }
      return quantile(histogram, share);
    },
  };
}
