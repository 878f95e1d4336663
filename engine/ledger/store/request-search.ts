// Owns how requests are searched: by a part of their id, or of the name of their model or error.
import type { Database } from './database.ts';
import type { Condition } from './request-filter.ts';
import { OWN_ID_PREFIX } from './request-row.ts';
import { GRAIN } from './rollup.ts';
import type { WordReader } from './words.ts';

export interface Search {
  /** `words`: the cost statistics can answer it too. `rows`: only the requests themselves. */
  readonly kind: 'words' | 'rows';
  readonly condition: Condition;
}

/** `isWide`: the range holds much of all that is recorded. */
export function searchFor(db: Database, words: WordReader, ask: { readonly search: string; readonly isWide: boolean }): Search {
  const text = ask.search.toLowerCase();
  const ids = words.idsContaining(text);
  const models = namedIn(db, MODELS, ids, GRAIN.day);
  const errors = namedIn(db, ERRORS, ids);
  const own = ownIdCondition(text);
  const ofModel: Condition = { sql: `model IN (${models.join(', ')})`, params: [] };
  if (own.kind === 'none' && errors.length === 0 && !hasBroughtIds(db)) return { kind: 'words', condition: ofModel };
  const parts = [
    idCondition(text, own, ask.isWide),
    ...(models.length === 0 ? [] : [ofModel]),
    ...(errors.length === 0 ? [] : [{ sql: `id IN (${FAILED} IN (${errors.join(', ')}))`, params: [] }]),
  ];
  const condition = { sql: `(${parts.map(({ sql }) => sql).join(' OR ')})`, params: parts.flatMap(({ params }) => params) };
  return { kind: 'rows', condition };
}

const MODELS = 'SELECT DISTINCT model FROM request_stats WHERE grain = ?';
const ERRORS = 'SELECT DISTINCT error_code FROM requests INDEXED BY requests_failed WHERE error_code <> 0';
const FAILED = 'SELECT id FROM requests INDEXED BY requests_failed WHERE error_code <> 0 AND error_code';

/** Those of the words that a statement lists. */
function namedIn(db: Database, sql: string, ids: readonly number[], ...params: readonly number[]): readonly number[] {
  if (ids.length === 0) return [];
  const listed = new Set(
    db
      .prepare<unknown[], number>(sql)
      .pluck()
      .all(...params),
  );
  return ids.filter((id) => listed.has(id));
}

/** Whether a client ever brought an id of its own. Texts sort before blobs. */
const hasBroughtIds = (db: Database): boolean => db.prepare("SELECT 1 FROM requests WHERE request_id < x'' LIMIT 1").get() !== undefined;

/** NOTE: texts sort before blobs, so that `request_id < x''` are the ids that clients brought, and the others our own. The index of ids is
 *  read as a whole, which pays where most of them are in the range, or at one place, where the id's beginning is known. */
function idCondition(text: string, own: OwnIdCondition, isWide: boolean): Condition {
  if (own.kind === 'place' || (isWide && own.kind !== 'many')) {
    const select = (where: string): string => `SELECT id FROM requests INDEXED BY requests_id WHERE ${where}`;
    const brought = select("request_id < x'' AND instr(lower(request_id), ?) > 0");
    // One lower bound alone: of two, SQLite may begin at the lesser.
    const where = own.kind === 'place' ? own.sql : `request_id >= x'' AND ${own.sql}`;
    return { sql: `id IN (${select(where)} UNION ALL ${brought})`, params: [...own.params, text] };
  }
  const sql = `(CASE typeof(request_id) WHEN 'text' THEN instr(lower(request_id), ?) > 0 ELSE ${own.sql} END)`;
  return { sql, params: [text, ...own.params] };
}

interface OwnIdCondition extends Condition {
  /** How many can match: `place`: those of one place in the index; `some`: so few that they can be gathered. */
  readonly kind: 'none' | 'place' | 'some' | 'many';
}

/** In the 16 bytes of our own ids, `req_` and a UUID, whose dashes do not matter. */
function ownIdCondition(text: string): OwnIdCondition {
  if (OWN_ID_PREFIX.includes(text)) return { kind: 'many', sql: '1', params: [] };
  const [, prefix = '', tail = ''] = /^(.*_)?(.*)$/s.exec(text) ?? [];
  const digits = tail.replaceAll('-', '').toUpperCase();
  if (!OWN_ID_PREFIX.endsWith(prefix) || !/^[0-9a-f-]*$/.test(tail) || digits.length > ID_DIGITS)
    return { kind: 'none', sql: '0', params: [] };
  if (prefix !== '') return { kind: 'place', ...beginningWith(digits) };
  return { kind: digits.length < LEAST_SELECTIVE ? 'many' : 'some', ...containing(digits) };
}

const ID_DIGITS = 32;
/** Of a million random ids a hundredth has a part of 3 hexadecimal digits. */
const LEAST_SELECTIVE = 3;

function beginningWith(digits: string): Condition {
  const [first, last] = ['0', 'F'].map((digit) => Buffer.from(digits.padEnd(ID_DIGITS, digit), 'hex'));
  return { sql: 'request_id BETWEEN ? AND ?', params: [first ?? '', last ?? ''] };
}

/** NOTE: writing 600,000 ids in digits takes 50 ms, searching their bytes 19. The digits begin within a byte or between two, so an id that has
 *  them has either their pairs or the pairs that follow the first digit; only such an id is written in digits. */
function containing(digits: string): Condition {
  const pairs = [digits, digits.slice(1)].map((part) => Buffer.from(part, 'hex'));
  const whole = { sql: 'instr(hex(request_id), ?) > 0', params: [digits] };
  if (pairs.some(({ length }) => length === 0)) return whole;
  return { sql: `((instr(request_id, ?) > 0 OR instr(request_id, ?) > 0) AND ${whole.sql})`, params: [...pairs, ...whole.params] };
}
