// The last decisions; each opens to why its model was taken, with the alternatives' numbers.
import { useState } from 'react';
import type { RouteDecision } from '../../../engine/contract.ts';
import { formatClock } from '../format.ts';
import { RouteDecisionView } from '../history/route-decision.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';

const SHOWN = 20;
const COLUMNS: readonly Column<RouteDecision>[] = [
  { id: 'at', title: 'At', render: ({ atMs }) => formatClock(atMs) },
  { id: 'asked', title: 'Asked', render: ({ modelAsked, tenant }) => `${modelAsked} (${tenant})` },
  { id: 'target', title: 'Answered by', render: ({ target, degraded }) => `${target ?? 'nobody'}${degraded ? ', degraded' : ''}` },
  { id: 'complexity', title: 'Complexity', align: 'end', render: ({ complexity }) => complexity.toFixed(2) },
  { id: 'why', title: 'Why', grow: true, render: ({ reason }) => <span title={reason}>{reason}</span> },
];

export function DecisionsPanel({ decisions }: { readonly decisions: readonly RouteDecision[] }) {
  const [open, setOpen] = useState<RouteDecision | null>(null);
  const empty = <Empty title='Nothing was routed yet.'>Ask for the model auto; a request that names its model is not routed.</Empty>;
  return (
    <Panel title='Last decisions'>
      <Table label='Last decisions' columns={COLUMNS} rows={decisions.slice(0, SHOWN)} rowKey={keyOf} onOpen={setOpen} empty={empty} />
      <Dialog title='Why this model' open={open !== null} onClose={() => setOpen(null)} wide>
        {open !== null && <RouteDecisionView decision={open} />}
      </Dialog>
    </Panel>
  );
}

const keyOf = ({ requestId, atMs }: RouteDecision): string => requestId ?? String(atMs);
