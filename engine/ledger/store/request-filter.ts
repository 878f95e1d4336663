// Owns how a filter of requests becomes a condition in SQL.
import type { RequestFilter } from '../../contract.ts';
import { NO_MODEL } from './record-facts.ts';
import { OWN_ID_PREFIX } from './request-row.ts';
import { NO_WORD, type WordReader } from './words.ts';

export interface Condition {
  readonly sql: string;
  readonly params: readonly (number | string)[];
}

const WORD_FILTERS = ['model', 'tenant', 'endpoint', 'outcome'] as const;

/** Those that the cost statistics know too. Null: nothing can match. */
export function wordConditions(filter: RequestFilter, words: WordReader): readonly Condition[] | null {
  const conditions: Condition[] = [];
  for (const name of WORD_FILTERS) {
    const text = filter[name];
    if (text === undefined) continue;
    const id = name === 'model' && text === NO_MODEL ? NO_WORD : words.idOf(text);
    if (id === undefined) return null;
    conditions.push({ sql: `${name} = ?`, params: [id] });
  }
  return conditions;
}

/** Those that only the requests themselves can answer. */
export function rowConditions({ minTotalMs, search }: RequestFilter, words: WordReader): readonly Condition[] {
  const conditions: Condition[] = [];
  if (minTotalMs !== undefined) conditions.push({ sql: 'total_us >= ?', params: [Math.round(minTotalMs * 1000)] });
  if (search !== undefined && search !== '') conditions.push(searchCondition(search, words));
  return conditions;
}

function searchCondition(search: string, words: WordReader): Condition {
  const text = search.toLowerCase();
  const ids = words.idsContaining(text);
  const own = ownIdCondition(text);
  const inId = `CASE typeof(request_id) WHEN 'text' THEN instr(lower(request_id), ?) > 0 ELSE ${own.sql} END`;
  if (ids.length === 0) return { sql: `(${inId})`, params: [text, ...own.params] };
  const isWord = (column: string): string => `${column} IN (SELECT value FROM json_each(?))`;
  const list = JSON.stringify(ids);
  return { sql: `(${inId} OR ${isWord('model')} OR ${isWord('error_code')})`, params: [text, ...own.params, list, list] };
}

/** In the 16 bytes of our own ids, `req_` and a UUID, whose dashes do not matter. */
function ownIdCondition(text: string): Condition {
  if (OWN_ID_PREFIX.includes(text)) return { sql: '1', params: [] };
  const [, prefix = '', tail = ''] = /^(.*_)?(.*)$/s.exec(text) ?? [];
  if (!OWN_ID_PREFIX.endsWith(prefix) || !/^[0-9a-f-]*$/.test(tail)) return { sql: '0', params: [] };
  const digits = tail.replaceAll('-', '').toUpperCase();
  return { sql: `instr(hex(request_id), ?) ${prefix === '' ? '> 0' : '= 1'}`, params: [digits] };
}

/** All of them at once. */
export function allOf(conditions: readonly Condition[]): Condition {
  return { sql: conditions.map(({ sql }) => `AND ${sql}`).join(' '), params: conditions.flatMap(({ params }) => params) };
}
