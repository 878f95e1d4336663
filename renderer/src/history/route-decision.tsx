// Why a routed request was answered by its model: the alternatives with the numbers that the decision saw, and who was asked in turn.
import type { RouteAlternative, RouteDecision } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { formatDuration, formatShare, formatUsd, orDash } from '../format.ts';
import { Table, type Column } from '../parts/table.tsx';

/** Nothing for a request that named its model, and for one whose decision is no longer kept. */
export function RouteDecisionOf({ requestId }: { readonly requestId: string }) {
  const { data } = useRead<RouteDecision>(`/api/router/decisions/${encodeURIComponent(requestId)}`);
  return data === undefined ? null : <RouteDecisionView decision={data} />;
}

export function RouteDecisionView({ decision: data }: { readonly decision: RouteDecision }) {
  return (
    <section className='stack' aria-label='Route decision'>
      <h3>Route decision</h3>
      <p>{data.reason}</p>
      <p className='quiet small'>{describeNeed(data)}</p>
      <Table
        label='Alternatives'
        columns={COLUMNS}
        rows={data.alternatives}
        rowKey={({ target }) => target}
        empty={<p className='quiet'>There was no other target.</p>}
      />
    </section>
  );
}

/** `Complexity 0.31; a loss of up to 3% was allowed. Asked: a (queue_full), b (answered).` */
function describeNeed({ complexity, allowedLoss, attempts }: RouteDecision): string {
  const asked = attempts.map(
    ({ target, outcome, continued }) => `${target} (${continued ? 'went on, ' : ''}${outcome.replaceAll('_', ' ')})`,
  );
  const turns = asked.length === 0 ? '' : ` Asked: ${asked.join(', ')}.`;
  return `Complexity ${complexity.toFixed(2)}; a loss of up to ${formatShare(allowedLoss)} was allowed.${turns}`;
}

const COLUMNS: readonly Column<RouteAlternative>[] = [
  { id: 'target', title: 'Target', render: ({ target, tier }) => `${target} (${tier})` },
  { id: 'cost', title: 'Cost', align: 'end', render: ({ costUsd }) => orDash(costUsd, formatUsd) },
  { id: 'ttft', title: 'First token', align: 'end', render: ({ ttftMs }) => orDash(ttftMs, formatDuration) },
  { id: 'wait', title: 'Wait', align: 'end', render: ({ waitMs }) => formatDuration(waitMs) },
  { id: 'loss', title: 'Expected loss', align: 'end', render: ({ expectedLoss }) => formatShare(expectedLoss) },
  { id: 'verdict', title: 'Verdict', grow: true, render: ({ verdict }) => <span title={verdict}>{verdict}</span> },
];
