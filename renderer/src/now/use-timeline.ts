// Follows the ledger's series: the whole span once, then only what is new, so that a pause in the connection fills itself.
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import type { SeriesAnswer } from '../../../engine/contract.ts';
import { call, withQuery } from '../api/client.ts';
import { joinTail, SPANS, tailStart, TIMELINE_NAMES, type SpanName } from './timeline.ts';

export interface Timeline {
  /** Null before the first answer. */
  readonly answer: SeriesAnswer | null;
  readonly error: Error | null;
}

/** `of`: `all` or a model. Components that follow the same span share one stream of questions. */
export function useTimeline(spanName: SpanName, of: string): Timeline {
  const client = useQueryClient();
  const span = SPANS[spanName];
  const queryKey = ['timeline', spanName, of];
  const { data, error } = useQuery({
    queryKey,
    queryFn: async ({ signal }): Promise<SeriesAnswer> => {
      const known = client.getQueryData<SeriesAnswer>(queryKey) ?? null;
      const nowMs = Date.now();
      const query = { from: tailStart(known, span, nowMs), to: nowMs, step: span.stepMs, names: TIMELINE_NAMES.join(','), of };
      return joinTail(known, await call<SeriesAnswer>(withQuery('/api/history/series', query), { signal }), span);
    },
    refetchInterval: span.everyMs,
    staleTime: span.everyMs,
    structuralSharing: false,
    placeholderData: keepPreviousData,
  });
  return { answer: data ?? null, error };
}
