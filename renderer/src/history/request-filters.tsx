// What the list of requests shows and in which order, kept in the place's query.
import { useEffect, useState } from 'react';
import { NumberField, TextField } from '../parts/field.tsx';
import { Select } from '../parts/select.tsx';
import { usePlaceQuery } from '../shell/hash-location.ts';

const ORDERS = [
  { value: 'newest', label: 'newest' },
  { value: 'slowest', label: 'slowest' },
  { value: 'costliest', label: 'costliest' },
] as const;
const OUTCOMES = [
  { value: 'any', label: 'any' },
  { value: 'ok', label: 'ok' },
  { value: 'error', label: 'error' },
  { value: 'cancelled', label: 'cancelled' },
] as const;
const PATHS = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/rerank', '/v1/classify'];
const ENDPOINTS = [{ value: 'any', label: 'any' }, ...PATHS.map((path) => ({ value: path, label: path.slice(4) }))];

export function RequestFilters() {
  const [query, change] = usePlaceQuery();
  const minTotalMs = query.get('minTotalMs');
  const chosen = <T extends string>(options: readonly { readonly value: T }[], name: string, fallback: T): T =>
    options.find(({ value }) => value === query.get(name))?.value ?? fallback;
  const set = (name: string, value: string): void => change({ [name]: value === 'any' ? null : value });
  return (
    <div className='history-filters' role='search' aria-label='Filter the requests'>
      <SearchField value={query.get('search') ?? ''} onChange={(text) => change({ search: text })} />
      <Select label='Order' value={chosen(ORDERS, 'order', 'newest')} options={ORDERS} onChange={(value) => set('order', value)} />
      <Select label='Outcome' value={chosen(OUTCOMES, 'outcome', 'any')} options={OUTCOMES} onChange={(value) => set('outcome', value)} />
      <Select
        label='Endpoint'
        value={chosen(ENDPOINTS, 'endpoint', 'any')}
        options={ENDPOINTS}
        onChange={(value) => set('endpoint', value)}
      />
      <NumberField
        label='Took at least'
        unit='ms'
        min={0}
        value={minTotalMs === null ? null : Number(minTotalMs)}
        onChange={(value) => change({ minTotalMs: value === null ? null : String(value) })}
      />
    </div>
  );
}

const TYPING_MS = 250;

/** Asks once the typing pauses. */
function SearchField({ value, onChange }: { readonly value: string; readonly onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  });
  return <TextField label='Search (/)' kind='search' placeholder='request id, model, error' value={text} onChange={setText} />;
}
