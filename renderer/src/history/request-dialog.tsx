// One finished request: its timeline, why which model answered, and where its time and money went.
import type { ReactNode } from 'react';
import type { RequestRow } from '../../../engine/contract.ts';
import { formatCount, formatDuration, formatMoment, formatRate, formatUsd, orDash } from '../format.ts';
import { CopyButton } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Facts } from '../parts/facts.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { RouteDecisionOf } from './route-decision.tsx';
import { costOf, partsOf, type RequestPart } from './request-parts.ts';

/** `row`: null is closed. */
export function RequestDialog({ row, onClose }: { readonly row: RequestRow | null; readonly onClose: () => void }) {
  return (
    <Dialog title={`Request ${row?.requestId ?? ''}`} open={row !== null} onClose={onClose} wide>
      {row !== null && (
        <>
          <RequestBar row={row} />
          <Facts facts={factsOf(row)} />
          {row.routeReason !== null && <RouteDecisionOf requestId={row.requestId} />}
          <CopyButton text={JSON.stringify(row, null, 2)} label='All fields of this request as JSON' />
        </>
      )}
    </Dialog>
  );
}

function RequestBar({ row }: { readonly row: RequestRow }) {
  const parts = partsOf(row);
  return (
    <div className='stack'>
      <div className='request-bar' aria-hidden='true'>
        {parts.map((part) => (
          <span key={part.kind} className={`phase-${part.kind}`} style={{ flexGrow: part.lengthMs }} />
        ))}
      </div>
      <Table
        label='Timeline of the request'
        columns={columnsFor(row)}
        rows={parts}
        rowKey={({ kind }) => kind}
        empty='It ended before anything happened.'
      />
    </div>
  );
}

const columnsFor = ({ totalMs }: RequestRow): readonly Column<RequestPart>[] => [
  {
    id: 'phase',
    title: 'Phase',
    grow: true,
    render: ({ kind, label }) => (
      <>
        <span className={`phase-key phase-${kind}`} aria-hidden='true' />
        {label}
      </>
    ),
  },
  { id: 'start', title: 'From', align: 'end', render: ({ startMs }) => formatDuration(startMs) },
  { id: 'length', title: 'Took', align: 'end', render: ({ lengthMs }) => formatDuration(lengthMs) },
  { id: 'share', title: 'Share', align: 'end', render: ({ lengthMs }) => `${Math.round((100 * lengthMs) / totalMs)}%` },
];

function factsOf(row: RequestRow): readonly (readonly [string, ReactNode])[] {
  const { ttftMs, totalMs, completionTokens } = row;
  const decodeMs = ttftMs === null ? 0 : totalMs - ttftMs;
  const speed = decodeMs > 0 && completionTokens > 1 ? `${formatRate((1_000 * (completionTokens - 1)) / decodeMs)} tok/s` : '–';
  return [
    ['Arrived', formatMoment(row.atMs)],
    ['Outcome', row.outcome === 'error' ? `${row.status} ${row.errorCode ?? ''}` : `${row.outcome} (${row.status})`],
    ['Asked for', row.modelAsked],
    ['Answered by', `${row.model ?? 'no model'} ${[row.precision, row.device].filter((part) => part !== null).join(' on ')}`],
    ['Why this model', row.routeReason ?? 'The client named it; no alternatives were weighed.'],
    ['Tenant and key', `${row.tenant}, ${row.key ?? 'no key'}`],
    [
      'Tokens',
      `${formatCount(row.promptTokens)} read (${formatCount(row.cachedTokens)} from the cache), ${formatCount(completionTokens)} written`,
    ],
    ['First token', orDash(ttftMs, formatDuration)],
    ['Between tokens', `p50 ${orDash(row.interTokenP50Ms, formatDuration)}, p99 ${orDash(row.interTokenP99Ms, formatDuration)}; ${speed}`],
    ['Batch on average', orDash(row.meanBatch, formatRate)],
    ['Response cache', row.cache ?? 'not asked'],
    ['Device time', `${formatDuration(row.deviceMs)}, ${row.energyJoules.toFixed(1)} J`],
    ['Cost', describeCost(row)],
    ['Premium would be', orDash(row.premiumUsd, formatUsd)],
  ];
}

/** `$0.0000073: energy $0.0000023, hardware $0.0000050, upstream $0` */
const describeCost = (row: RequestRow): string =>
  `${formatUsd(costOf(row))}: energy ${formatUsd(row.energyUsd)}, hardware ${formatUsd(row.hardwareUsd)}, upstream ${formatUsd(row.upstreamUsd)}`;
