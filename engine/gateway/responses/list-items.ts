// One page of a list of items, as OpenAI's lists are read: a limit, an order, and the id after which it begins. Pure.
import { invalid } from '../openai/faults.ts';
import type { InputItem } from './items.ts';

export interface ListQuery {
  readonly limit?: number;
  readonly order?: 'asc' | 'desc';
  readonly after?: string;
}

export interface ItemList {
  readonly object: 'list';
  readonly data: readonly InputItem[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

const DEFAULT_LIMIT = 20;

/** @throws EngineError `invalid_request` for an `after` that is no item of the list */
export function listItems(items: readonly InputItem[], { limit = DEFAULT_LIMIT, order = 'desc', after }: ListQuery): ItemList {
  const ordered = order === 'asc' ? items : items.toReversed();
  const at = after === undefined ? -1 : ordered.findIndex(({ id }) => id === after);
  if (after !== undefined && at < 0) throw invalid('after', `There is no item ${JSON.stringify(after)}.`);
  const data = ordered.slice(at + 1, at + 1 + limit);
  const hasMore = at + 1 + limit < ordered.length;
  return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}
