// Owns the pages of past requests: which rows, in which order, and how many there are in all.
import type { RequestPage, RequestRow, TimeRange } from '../../contract.ts';
import { EngineError } from '../../errors.ts';
import type { RequestQuery } from '../ledger.ts';
import { coverRange } from './cover.ts';
import type { Database } from './database.ts';
import { readKeptFrom } from './kept.ts';
import { allOf, type Condition, rowConditions, wordConditions } from './request-filter.ts';
import { searchFor } from './request-search.ts';
import { firstIdAt, fromCells, type StoredRequest } from './request-row.ts';
import { GRAIN } from './rollup.ts';
import { checkRange, STEPS_MS } from './steps.ts';
import type { WordReader } from './words.ts';

const MAX_LIMIT = 500;
/** Up to so many rows are sorted; of more, the index of the order is followed until the page is full. */
const SORTED_ROWS = 20_000;

/** What a page is sorted by, and the index that has it in this order. */
const ORDERS = {
  newest: { rank: '0', index: null },
  slowest: { rank: 'total_us', index: 'requests_slowest' },
  costliest: { rank: 'energy_pico + hardware_pico + upstream_pico', index: 'requests_costliest' },
} as const;

/** @throws EngineError `invalid_request` */
export function readRequests(db: Database, words: WordReader, query: RequestQuery): RequestPage {
  checkRange(query.range);
  checkLimit(query.limit);
  const kept = readKeptFrom(db);
  const range = { ...query.range, fromMs: Math.max(query.range.fromMs, kept.requests) };
  const named = wordConditions(query.filter, words);
  if (named === null || range.fromMs >= range.toMs) return { rows: [], total: 0, cursor: null };
  const { search = '' } = query.filter;
  const sought = search === '' ? null : searchFor(db, words, { search, isWide: isMostOf(db, range) });
  const equal = sought?.kind === 'words' ? [...named, sought.condition] : named;
  const more = [...rowConditions(query.filter), ...(sought?.kind === 'rows' ? [sought.condition] : [])];
  const { places, total } = (more.length === 0 ? null : pageOfFew(db, { ...query, range }, [...equal, ...more])) ?? {
    places: readPlaces(db, { ...query, range }, [...equal, ...more]),
    total: more.length === 0 ? countByStep(db, range, equal) : countRows(db, range, [...equal, ...more]),
  };
  const rows = readRows(db, words, places.slice(0, query.limit));
  return { rows, total, cursor: places.length > query.limit ? cursorOf(places[query.limit - 1]) : null };
}

/** Whether a part as large as this share of all the time that is recorded is better found by an index of everything. */
const WIDE_SHARE = 1 / 4;

function isMostOf(db: Database, range: TimeRange): boolean {
  const end = (which: 'min' | 'max'): number => db.prepare<[], number | null>(`SELECT ${which}(id) FROM requests`).pluck().get() ?? 0;
  const [first, last] = [end('min'), end('max')];
  const overlap = Math.min(last, firstIdAt(range.toMs)) - Math.max(first, firstIdAt(range.fromMs));
  return overlap > (last - first) * WIDE_SHARE;
}

export function readRequest(db: Database, words: WordReader, rowId: number): RequestRow | undefined {
  return readRows(db, words, [{ id: rowId, rank: 0 }])[0];
}

interface Place {
  readonly id: number;
  readonly rank: number;
}

interface PageOfPlaces {
  /** The page's, and one more if there is one. */
  readonly places: readonly Place[];
  readonly total: number;
}

/** Reads every match once and sorts them; null when there are too many for that. For conditions that no statistics answer. */
function pageOfFew(db: Database, { range, order, cursor, limit }: RequestQuery, conditions: readonly Condition[]): PageOfPlaces | null {
  const { sql, params } = allOf(conditions);
  const select = db.prepare<unknown[], Place>(
    `SELECT id, ${ORDERS[order].rank} AS rank FROM requests ${sourceOf(conditions)} WHERE id >= ? AND id < ? ${sql} LIMIT ?`,
  );
  const matches = select.all(firstIdAt(range.fromMs), firstIdAt(range.toMs), ...params, SORTED_ROWS + 1);
  if (matches.length > SORTED_ROWS) return null;
  const after = parseCursor(cursor);
  const rest = after === null ? matches : matches.filter((place) => comparePlaces(place, after) > 0);
  return { places: rest.toSorted(comparePlaces).slice(0, limit + 1), total: matches.length };
}

/** Highest rank first, then the newest. */
const comparePlaces = (a: Place, b: Place): number => b.rank - a.rank || b.id - a.id;

/** Times and words are all in one index, a fraction of the table. */
const sourceOf = (conditions: readonly Condition[]): string =>
  conditions.some(({ sql }) => sql.startsWith('total_us')) ? `INDEXED BY ${ORDERS.slowest.index}` : 'NOT INDEXED';

function readPlaces(db: Database, { range, limit, cursor, order }: RequestQuery, conditions: readonly Condition[]): readonly Place[] {
  const { rank, index } = ORDERS[order];
  const { sql, params } = allOf(conditions);
  const after = parseCursor(cursor);
  const isWide = index !== null && countByStep(db, range, []) > SORTED_ROWS;
  const select = db.prepare<unknown[], Place>(
    `SELECT id, ${rank} AS rank FROM requests ${isWide ? `INDEXED BY ${index}` : 'NOT INDEXED'}
     WHERE id >= ? AND id < ? ${sql} ${afterSql(rank, after)} ORDER BY ${index === null ? '' : `${rank} DESC,`} id DESC LIMIT ?`,
  );
  const place = after === null ? [] : [after.rank, after.rank, after.id];
  return select.all(firstIdAt(range.fromMs), firstIdAt(range.toMs), ...params, ...place, limit + 1);
}

/** NOTE: the first term alone lets the index start at the right place; the second decides among equals. */
const afterSql = (rank: string, after: Place | null): string => (after === null ? '' : `AND ${rank} <= ? AND (${rank} < ? OR id < ?)`);

const cursorOf = (place: Place | undefined): string | null => (place === undefined ? null : `${place.rank}:${place.id}`);

function parseCursor(cursor: string | null): Place | null {
  if (cursor === null) return null;
  const parts = /^(\d{1,16}):(\d{1,16})$/.exec(cursor);
  if (parts === null) throw new EngineError('invalid_request', 'cursor must be one that a page gave.', { param: 'cursor' });
  return { rank: Number(parts[1]), id: Number(parts[2]) };
}

function checkLimit(limit: number): void {
  const isValid = Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT;
  if (!isValid) throw new EngineError('invalid_request', `limit must be a whole number from 1 to ${MAX_LIMIT}.`, { param: 'limit' });
}

function readRows(db: Database, words: WordReader, places: readonly Place[]): readonly RequestRow[] {
  const select = db.prepare<[number], StoredRequest>('SELECT * FROM requests WHERE id = ?');
  return places.flatMap(({ id }) => {
    const row = select.get(id);
    return row === undefined ? [] : [fromCells(row, words)];
  });
}

function countRows(db: Database, range: TimeRange, conditions: readonly Condition[]): number {
  const { sql, params } = allOf(conditions);
  const select = db
    .prepare<unknown[], number>(`SELECT count(*) FROM requests ${sourceOf(conditions)} WHERE id >= ? AND id < ? ${sql}`)
    .pluck();
  return select.get(firstIdAt(range.fromMs), firstIdAt(range.toMs), ...params) ?? 0;
}

/** The same, from sums of whole days and hours; only the edges are counted row by row. */
function countByStep(db: Database, range: TimeRange, conditions: readonly Condition[]): number {
  const { sql, params } = allOf(conditions);
  const select = db
    .prepare<unknown[], number | null>(`SELECT sum(requests) FROM cost_stats WHERE grain = ? AND at >= ? AND at < ? ${sql}`)
    .pluck();
  return coverRange(range, requestLevels(0)).reduce((total, segment) => {
    if (segment.level === ROWS) return total + countRows(db, segment, conditions);
    const grain = segment.level === 0 ? GRAIN.day : GRAIN.hour;
    return total + (select.get(grain, segment.fromMs / 1000, segment.toMs / 1000, ...params) ?? 0);
  }, 0);
}

/** Place of the requests themselves among the levels. */
export const ROWS = 2;

/** Days, hours and single requests; the last two go together. */
export const requestLevels = (keptFromMs: number) => [
  { stepMs: STEPS_MS[GRAIN.day], keptFromMs: 0 },
  { stepMs: STEPS_MS[GRAIN.hour], keptFromMs },
  { stepMs: 1, keptFromMs },
];
