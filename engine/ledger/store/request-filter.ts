// Owns how a filter of requests becomes a condition in SQL; what a search means is request-search.ts's.
import type { RequestFilter } from '../../contract.ts';
import { NO_MODEL } from './record-facts.ts';
import { NO_WORD, type WordReader } from './words.ts';

export interface Condition {
  readonly sql: string;
  readonly params: readonly (number | string | Buffer)[];
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
export function rowConditions({ minTotalMs }: RequestFilter): readonly Condition[] {
  return minTotalMs === undefined ? [] : [{ sql: 'total_us >= ?', params: [Math.round(minTotalMs * 1000)] }];
}

/** All of them at once. */
export function allOf(conditions: readonly Condition[]): Condition {
  return { sql: conditions.map(({ sql }) => `AND ${sql}`).join(' '), params: conditions.flatMap(({ params }) => params) };
}
