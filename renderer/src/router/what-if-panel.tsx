// The kept decisions under another policy: what they would have cost, and how good they would have been.
import { useState } from 'react';
import type { PolicyOutcome, WhatIfAnswer, WhatIfAsk } from '../../../engine/contract.ts';
import { useChange } from '../api/queries.tsx';
import { formatCount, formatShare, formatUsd, plural } from '../format.ts';
import { Button } from '../parts/button.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { NumberField } from '../parts/field.tsx';
import { Panel } from '../parts/panel.tsx';
import { Table, type Column } from '../parts/table.tsx';

type Row = PolicyOutcome & { readonly name: string };

const COLUMNS: readonly Column<Row>[] = [
  { id: 'policy', title: 'Policy', grow: true, render: ({ name }) => name },
  {
    id: 'cost',
    title: 'Cost',
    align: 'end',
    render: ({ costUsd, unpriced }) => `${formatUsd(costUsd)}${unpriced === 0 ? '' : `, ${formatCount(unpriced)} not priced`}`,
  },
  { id: 'quality', title: 'Expected quality', align: 'end', render: ({ expectedQuality }) => formatShare(expectedQuality) },
  {
    id: 'tiers',
    title: 'Fast, balanced, premium',
    align: 'end',
    render: ({ byTier: { fast, balanced, premium } }) => [fast, balanced, premium].map(formatCount).join(', '),
  },
];

export function WhatIfPanel({ qualityBar, latencyGoalMs }: WhatIfAsk) {
  const [bar, setBar] = useState<number | null>(qualityBar);
  const [goal, setGoal] = useState<number | null>(latencyGoalMs);
  const ask = useChange<WhatIfAnswer>();
  const replay = (): void =>
    ask.mutate({ method: 'POST', path: '/api/router/what-if', body: { qualityBar: bar ?? qualityBar, latencyGoalMs: goal } });
  return (
    <Panel title='What if'>
      <p className='quiet'>Replays the kept decisions under another policy, by the numbers that each of them saw. Both are estimates.</p>
      <div className='router-what-if'>
        <NumberField label='Quality bar' unit='0 to 1' min={0} max={1} value={bar} onChange={setBar} />
        <NumberField label='Latency goal' unit='ms' hint='Empty: none.' min={1} value={goal} onChange={setGoal} />
        <Button busy={ask.isPending} onClick={replay}>
          Replay
        </Button>
      </div>
      {ask.error !== null && <ErrorNote error={ask.error} what='Nothing was replayed.' />}
      {ask.data !== undefined && <Outcome answer={ask.data} />}
    </Panel>
  );
}

function Outcome({ answer: { requests, asWas, asAsked } }: { readonly answer: WhatIfAnswer }) {
  if (requests === 0) return <p role='status'>No decision is kept yet; ask for the model auto first.</p>;
  const rows = [
    { ...asWas, name: 'As it was' },
    { ...asAsked, name: 'As asked here' },
  ];
  return (
    <div role='status'>
      <p>{plural(requests, 'request')} replayed.</p>
      <Table label='Outcome of the policies' columns={COLUMNS} rows={rows} rowKey={({ name }) => name} empty={null} />
    </div>
  );
}
