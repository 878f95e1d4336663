// The requests of a range, filtered and ordered; each opens its own timeline.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RequestPage, RequestRow, TimeRange } from '../../../engine/contract.ts';
import { call, withQuery } from '../api/client.ts';
import { formatCount, formatDuration, formatMoment, formatUsd, orDash, plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Status } from '../parts/status.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { usePlaceQuery } from '../shell/hash-location.ts';
import { costOf } from './request-parts.ts';
import { RequestDialog } from './request-dialog.tsx';
import { RequestFilters } from './request-filters.tsx';

const PAGE_ROWS = 50;
const FILTERS = ['model', 'tenant', 'endpoint', 'outcome', 'minTotalMs', 'search'] as const;

export function RequestList({ range }: { readonly range: TimeRange }) {
  const [query] = usePlaceQuery();
  const [opened, setOpened] = useState<RequestRow | null>(null);
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]));
  const order = query.get('order') ?? 'newest';
  const pages = useRequestPages({ ...filter, from: range.fromMs, to: range.toMs, order });
  const rows = pages.data?.pages.flatMap((page) => page.rows) ?? [];
  const total = pages.data?.pages[0]?.total;
  return (
    <Panel
      title='Requests'
      className='history-requests'
      actions={total !== undefined && <span className='quiet'>{plural(total, 'request')} in this range</span>}
    >
      <RequestFilters />
      {pages.error !== null && rows.length === 0 && (
        <ErrorNote error={pages.error} what='The requests could not be read.' onRetry={() => void pages.refetch()} />
      )}
      {pages.isPending && <Loading lines={8} />}
      {pages.data !== undefined && (
        <Table
          label='Requests'
          columns={COLUMNS}
          rows={rows}
          rowKey={({ rowId }) => String(rowId)}
          onOpen={setOpened}
          empty={<NoRequests />}
        />
      )}
      {pages.hasNextPage && (
        <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Show more
        </Button>
      )}
      <RequestDialog row={opened} onClose={() => setOpened(null)} />
    </Panel>
  );
}

function useRequestPages(query: Readonly<Record<string, string | number | null>>) {
  return useInfiniteQuery({
    queryKey: ['/api/history/requests', query],
    queryFn: ({ pageParam, signal }) =>
      call<RequestPage>(withQuery('/api/history/requests', { ...query, limit: PAGE_ROWS, cursor: pageParam }), { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    placeholderData: (previous) => previous,
  });
}

function NoRequests() {
  return (
    <Empty title='No request matches.'>
      Widen the range or clear the filters. Every request to the API is kept here, without its texts.
    </Empty>
  );
}

const COLUMNS: readonly Column<RequestRow>[] = [
  { id: 'at', title: 'Time', render: ({ atMs }) => formatMoment(atMs) },
  {
    id: 'model',
    title: 'Model (why)',
    grow: true,
    render: ({ model, modelAsked, routeReason }) => (
      <span title={model ?? modelAsked}>
        {model ?? modelAsked}
        {routeReason !== null && <span className='quiet'> ({routeReason})</span>}
      </span>
    ),
  },
  { id: 'endpoint', title: 'Endpoint', render: ({ endpoint }) => endpoint.replace('/v1/', '') },
  { id: 'outcome', title: 'Outcome', render: (row) => <Outcome row={row} /> },
  { id: 'total', title: 'Total', align: 'end', render: ({ totalMs }) => formatDuration(totalMs) },
  { id: 'ttft', title: 'TTFT', align: 'end', render: ({ ttftMs }) => orDash(ttftMs, formatDuration) },
  { id: 'wait', title: 'Wait', align: 'end', render: ({ queueMs }) => orDash(queueMs, formatDuration) },
  {
    id: 'tokens',
    title: 'Tokens in, out',
    align: 'end',
    render: (row) => `${formatCount(row.promptTokens)}, ${formatCount(row.completionTokens)}`,
  },
  { id: 'cost', title: 'Cost', align: 'end', render: (row) => formatUsd(costOf(row)) },
];

function Outcome({ row: { outcome, errorCode, status } }: { readonly row: RequestRow }) {
  if (outcome === 'ok') return <Status tone='ok' word='ok' />;
  if (outcome === 'cancelled') return <Status tone='idle' word='cancelled' />;
  return <Status tone='problem' word={`${status} ${errorCode ?? ''}`} />;
}
