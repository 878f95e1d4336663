// Owns how rolled-up rows become series, one value for each step.
import { type SeriesAnswer, type SeriesName, type SeriesStepMs } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { SeriesQuery } from '../ledger.ts';
import type { Database } from './database.ts';
import { Histogram } from './histogram.ts';
import { STATS, type StatsTable } from './schema.ts';
import { type Quantiles, SERIES_SOURCES, type StepSums } from './series-sources.ts';
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
  const values = new Map<SeriesName, readonly (number | null)[]>();
  for (const [table, rows] of tables) {
    const steps = stepsOf(rows, seconds, frame);
    for (const name of names) if (SERIES_SOURCES[name].table === table) values.set(name, steps.map(SERIES_SOURCES[name].value));
  }
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

/** What each step of the frame holds. */
function stepsOf(rows: readonly Row[], seconds: ReadonlyMap<number, number>, frame: Frame): readonly StepSums[] {
  const rowsByStep = Map.groupBy(rows, ({ at }) => Number(at));
  const scratch = new Histogram();
  return frame.atMs.map(
    (ms) => new Step(rowsByStep.get(ms / 1000) ?? [], seconds.get(ms / 1000) ?? 0, { isAll: frame.word === null, scratch }),
  );
}

class Step implements StepSums {
  readonly seconds: number;
  readonly isAll: boolean;
  readonly #rows: readonly Row[];
  readonly #scratch: Histogram;
  readonly #quantiles = new Map<string, Quantiles>();

  constructor(rows: readonly Row[], seconds: number, { isAll, scratch }: { readonly isAll: boolean; readonly scratch: Histogram }) {
    this.seconds = seconds;
    this.isAll = isAll;
    this.#rows = rows;
    this.#scratch = scratch;
  }

  get isRecorded(): boolean {
    return this.#rows.length > 0;
  }

  sum(column: string): number {
    return this.#rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);
  }

  /** Both are asked for one after the other, so the histogram is merged once. */
  quantiles(column: string): Quantiles {
    const known = this.#quantiles.get(column);
    if (known !== undefined) return known;
    const cells = this.#rows.map((row) => row[column]).filter((cell) => cell instanceof Uint8Array);
    const quantiles = cells.length === 0 ? NO_QUANTILES : merged(this.#scratch, cells);
    this.#quantiles.set(column, quantiles);
    return quantiles;
  }
}

const NO_QUANTILES: Quantiles = { p50: null, p99: null };

function merged(scratch: Histogram, cells: readonly Uint8Array[]): Quantiles {
  scratch.clear();
  for (const cell of cells) scratch.addEncoded(cell);
  const [p50 = null, p99 = null] = scratch.quantiles([0.5, 0.99]);
  return { p50, p99 };
}
