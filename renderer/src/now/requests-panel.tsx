// The requests under way: place in the queue, which model and why, how long they wait, how fast they go, what they cost so far.
import { useState } from 'react';
import type { LiveRequest, QueueNow } from '../../../engine/contract.ts';
import { formatCount, formatDuration, formatRate, formatSpan, formatUsd, orDash } from '../format.ts';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { LiveRequestDialog } from './live-request-dialog.tsx';

export interface RequestsPanelProps {
  readonly requests: readonly LiveRequest[];
  readonly queue: QueueNow;
}

export function RequestsPanel({ requests, queue }: RequestsPanelProps) {
  const [opened, setOpened] = useState<string | null>(null);
  const hidden = queue.running + queue.waiting - requests.length;
  return (
    <Panel
      title='Live requests'
      className='now-requests'
      actions={
        hidden > 0 && (
          <span className='quiet small'>
            the oldest {requests.length}; {formatCount(hidden)} more
          </span>
        )
      }
    >
      <Table
        label='Live requests'
        columns={COLUMNS}
        rows={requests}
        rowKey={({ id }) => id}
        onOpen={({ id }) => setOpened(id)}
        empty={
          <Empty title='Nobody is asking right now.'>Requests appear here while they wait and run. Finished ones are in History.</Empty>
        }
      />
      <LiveRequestDialog id={opened} request={requests.find(({ id }) => id === opened) ?? null} onClose={() => setOpened(null)} />
    </Panel>
  );
}

const COLUMNS: readonly Column<LiveRequest>[] = [
  { id: 'place', title: 'Position', render: placeText },
  {
    id: 'model',
    title: 'Model (why)',
    grow: true,
    render: ({ model, modelAsked, routeReason }) => (
      <span title={`${model ?? modelAsked}${routeReason === null ? '' : `: ${routeReason}`}`}>
        {model ?? modelAsked}
        {routeReason !== null && <span className='quiet'> ({routeReason})</span>}
      </span>
    ),
  },
  { id: 'tenant', title: 'Tenant', render: ({ tenant }) => tenant },
  { id: 'wait', title: 'Wait', align: 'end', render: ({ waitMs }) => formatDuration(waitMs) },
  { id: 'eta', title: 'Starts in', align: 'end', render: ({ etaMs, position }) => (position === null ? '–' : orDash(etaMs, formatSpan)) },
  { id: 'ttft', title: 'TTFT', align: 'end', render: ({ ttftMs }) => orDash(ttftMs, formatDuration) },
  { id: 'tokens', title: 'Tokens', align: 'end', render: ({ completionTokens }) => formatCount(completionTokens) },
  { id: 'rate', title: 'tok/s', align: 'end', render: ({ tokensPerSecond }) => orDash(tokensPerSecond, formatRate) },
  { id: 'cost', title: 'Cost', align: 'end', render: ({ costUsd }) => formatUsd(costUsd) },
];

/** `#3 waiting`, `decode` */
function placeText({ position, phase }: LiveRequest): string {
  return position === null ? phase : `#${position} waiting`;
}
