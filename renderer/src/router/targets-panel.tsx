// Targets by tier: how fast, how dear, how good, and why one is not used.
import type { QualityNow, TargetNow } from '../../../engine/contract.ts';
import { formatCount, formatDuration, formatRate, formatUsd, orDash } from '../format.ts';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Status } from '../parts/status.tsx';
import { Table, type Column } from '../parts/table.tsx';

const COLUMNS: readonly Column<TargetNow>[] = [
  {
    id: 'target',
    title: 'Target',
    render: ({ target, tier, origin }) => `${target} (${tier}${origin === 'upstream' ? ', upstream' : ''})`,
  },
  { id: 'state', title: 'State', grow: true, render: (target) => <TargetState target={target} /> },
  {
    id: 'requests',
    title: 'Requests',
    align: 'end',
    render: ({ requests, failures }) => `${formatCount(requests)}, ${formatCount(failures)} failed`,
  },
  { id: 'wait', title: 'Wait', align: 'end', render: ({ waitMs }) => formatDuration(waitMs) },
  { id: 'ttft', title: 'First token', align: 'end', render: ({ ttftMs }) => orDash(ttftMs, formatDuration) },
  { id: 'speed', title: 'tok/s', align: 'end', render: ({ tokensPerSecond }) => orDash(tokensPerSecond, formatRate) },
  { id: 'cost', title: 'Cost', align: 'end', render: ({ costUsd }) => orDash(costUsd, formatUsd) },
  { id: 'quality', title: 'Quality', align: 'end', render: ({ quality }) => qualityWords(quality) ?? 'not measured' },
  { id: 'adjusted', title: 'Cost / quality', align: 'end', render: ({ perQualityAdjustedUsd: price }) => adjustedWords(price) },
];

export function TargetsPanel({ targets }: { readonly targets: readonly TargetNow[] }) {
  const empty = <Empty title='No target yet.'>Get a text model on the Models screen, or add an upstream below.</Empty>;
  return (
    <Panel title='Targets'>
      <Table label='Targets' columns={COLUMNS} rows={targets} rowKey={({ target, tier }) => `${tier} ${target}`} empty={empty} />
    </Panel>
  );
}

function TargetState({ target: { excluded, circuit } }: { readonly target: TargetNow }) {
  if (excluded === null && circuit === 'closed') return <Status tone='ok' word='in use' />;
  const words = excluded ?? 'It failed lately; one request tries it now.';
  return (
    <span title={words}>
      <Status
        tone={circuit === 'closed' ? 'warning' : 'problem'}
        word={circuit === 'closed' ? 'left out' : `circuit ${circuit.replace('_', ' ')}`}
      />{' '}
      {words}
    </span>
  );
}

/** `0.97 ±0.01 of 120`; null: not measured. */
export const qualityWords = (quality: QualityNow): string | null =>
  quality.kind === 'measured' ? `${quality.mean.toFixed(2)} ±${quality.plusMinus.toFixed(2)} of ${formatCount(quality.graded)}` : null;

const adjustedWords = (price: TargetNow['perQualityAdjustedUsd']): string =>
  price === null ? 'not measured' : `${formatUsd(price.usd)} ±${formatUsd(price.plusMinusUsd)}`;
