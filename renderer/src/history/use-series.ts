// One answer of the ledger's series, shaped for plots.
import type { SeriesAnswer, SeriesName, TimeRange } from '../../../engine/contract.ts';
import { withQuery } from '../api/client.ts';
import { useRead } from '../api/queries.tsx';

export interface SeriesRead {
  readonly error: Error | null;
  readonly retry: () => void;
  readonly atMs: readonly number[];
  readonly range: TimeRange;
  readonly values: (name: SeriesName) => readonly (number | null)[];
  readonly stepMs: number;
}

const NONE: readonly (number | null)[] = [];

/** `of`: `all`, a model, or a device. */
export function useSeries(range: TimeRange, names: readonly SeriesName[], of: string): SeriesRead {
  const path = withQuery('/api/history/series', { from: range.fromMs, to: range.toMs, names: names.join(','), of });
  const { data, error, refetch } = useRead<SeriesAnswer>(path, { keep: true });
  return {
    error: data === undefined ? error : null,
    retry: () => void refetch(),
    atMs: data?.atMs ?? [],
    range: data?.range ?? range,
    values: (name) => data?.values[name] ?? NONE,
    stepMs: data?.stepMs ?? 0,
  };
}
