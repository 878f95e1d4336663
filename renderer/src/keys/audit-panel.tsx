// What administrators did lately.
import type { AuditEntry } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { formatMoment } from '../format.ts';
import { Empty } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';

const COLUMNS: readonly Column<AuditEntry>[] = [
  { id: 'at', title: 'When', render: ({ atMs }) => formatMoment(atMs) },
  { id: 'who', title: 'Who', render: ({ tenant, keyId }) => `${tenant}${keyId === null ? '' : ` (${keyId})`}` },
  { id: 'address', title: 'From', render: ({ address }) => address },
  { id: 'action', title: 'Did', grow: true, render: ({ action, subject }) => `${action}${subject === null ? '' : ` ${subject}`}` },
  { id: 'status', title: 'Status', align: 'end', render: ({ status }) => status },
];

export function AuditPanel() {
  const { data, error, refetch } = useRead<readonly AuditEntry[]>('/api/audit');
  if (data === undefined)
    return error === null ? null : <ErrorNote error={error} what='The audit log could not be read.' onRetry={() => void refetch()} />;
  const rows = data.map((entry, index) => ({ ...entry, index }));
  return (
    <Panel title='Audit log'>
      <Table label='Audit log' columns={COLUMNS} rows={rows} rowKey={rowKey} empty={<Empty title='Nothing was changed yet.' />} />
    </Panel>
  );
}

const rowKey = (row: AuditEntry): string => `${row.atMs} ${'index' in row ? String(row.index) : ''}`;
