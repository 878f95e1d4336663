// The alerts that fired, newest first.
import type { AlertEvent } from '../../../engine/contract.ts';
import { formatMoment, formatSpan } from '../format.ts';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { goTo } from '../shell/hash-location.ts';

/** Shown before and after an alert when its time is opened. */
const MARGIN_MS = 300_000;

export function AlertHistory({ events }: { readonly events: readonly AlertEvent[] }) {
  const open = ({ sinceMs, endedMs }: AlertEvent): void =>
    goTo(`/history?from=${sinceMs - MARGIN_MS}&to=${(endedMs ?? Date.now()) + MARGIN_MS}&order=slowest`);
  return (
    <Panel title='Past alerts' className='alerts-history'>
      <Table
        label='Past alerts'
        columns={COLUMNS}
        rows={events}
        rowKey={({ id }) => id}
        onOpen={open}
        empty={<Empty title='No alert has fired yet.'>Each one is kept here with its worst value.</Empty>}
      />
    </Panel>
  );
}

const COLUMNS: readonly Column<AlertEvent>[] = [
  { id: 'since', title: 'Began', render: ({ sinceMs }) => formatMoment(sinceMs) },
  {
    id: 'lasted',
    title: 'Lasted',
    align: 'end',
    render: ({ sinceMs, endedMs }) => (endedMs === null ? 'still fires' : formatSpan(endedMs - sinceMs)),
  },
  { id: 'name', title: 'Alert', render: ({ name }) => name },
  { id: 'subject', title: 'About', render: ({ subject }) => subject ?? 'the server' },
  { id: 'sentence', title: 'What was the case', grow: true, render: ({ sentence }) => <span title={sentence}>{sentence}</span> },
  { id: 'peak', title: 'Worst', align: 'end', render: ({ peak }) => Number(peak.toPrecision(3)).toLocaleString('en') },
];
