// The load tests that are kept, newest first; one is opened by its row.
import type { LoadTestSummary } from '../../../engine/contract.ts';
import { formatDuration, formatMoment, formatRate, formatShare, orDash } from '../format.ts';
import { Panel } from '../parts/panel.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { askedWords, VERDICT_TONES } from './verdict-words.ts';

export interface ReportTableProps {
  readonly reports: readonly LoadTestSummary[];
  readonly shown: string;
  readonly onOpen: (id: string) => void;
}

const END = { align: 'end' } as const;
type Row = LoadTestSummary;

export function ReportTable({ reports, shown, onOpen }: ReportTableProps) {
  const columns = [
    { id: 'when', title: 'Ended', render: ({ endedMs }: Row) => formatMoment(endedMs) },
    { id: 'verdict', title: 'Verdict', render: ({ verdict }: Row) => <Status tone={VERDICT_TONES[verdict]} word={verdict} /> },
    {
      id: 'asked',
      title: 'Load',
      grow: true,
      render: ({ id, asked }: Row) => (id === shown ? <strong>{askedWords(asked)} (shown)</strong> : askedWords(asked)),
    },
    { id: 'share', title: 'In time', ...END, render: ({ goodput }: Row) => formatShare(goodput.share) },
    { id: 'goodput', title: 'Goodput', ...END, render: ({ goodput }: Row) => `${formatRate(goodput.requestsPerSecond)}/s` },
    { id: 'ttft', title: 'First token p99', ...END, render: ({ ttft }: Row) => orDash(ttft.p99, formatDuration) },
  ];
  return (
    <Panel title='Earlier tests'>
      <Table label='Load tests' columns={columns} rows={reports} rowKey={({ id }) => id} onOpen={({ id }) => onOpen(id)} empty='' />
    </Panel>
  );
}
