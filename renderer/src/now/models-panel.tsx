// The models and what each is doing: slots as cells, speed, KV cache, and how long until it is unloaded.
import type { ModelStatus } from '../../../engine/contract.ts';
import { formatCount, formatRate, formatSpan, orDash } from '../format.ts';
import { Cells } from '../parts/cells.tsx';
import { Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { Status, type Tone } from '../parts/status.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { goTo } from '../shell/hash-location.ts';

const TONES: Readonly<Record<ModelStatus['state'], Tone>> = { installed: 'idle', loading: 'busy', ready: 'ok', failed: 'problem' };

export function ModelsPanel({ models }: { readonly models: readonly ModelStatus[] }) {
  return (
    <Panel title='Models' className='now-models'>
      <Table
        label='Models'
        columns={COLUMNS}
        rows={[...models].sort(byActivity)}
        rowKey={({ id }) => id}
        onOpen={({ id }) => goTo(`/history?model=${encodeURIComponent(id)}`)}
        empty={<NoModel />}
      />
    </Panel>
  );
}

function NoModel() {
  return (
    <Empty title='No model yet' action={<a href='#/models'>Get a model</a>}>
      A small one runs on any machine: smollm2-135m-instruct is 98 MB.
    </Empty>
  );
}

/** Loaded ones first; the order within is that of names, so that rows stay where they are while numbers change. */
function byActivity(a: ModelStatus, b: ModelStatus): number {
  const rank = ({ state }: ModelStatus): number => ['failed', 'ready', 'loading', 'installed'].indexOf(state);
  return rank(a) - rank(b) || a.id.localeCompare(b.id);
}

const COLUMNS: readonly Column<ModelStatus>[] = [
  { id: 'name', title: 'Model', grow: true, render: ({ id }) => <span title={id}>{id}</span> },
  { id: 'state', title: 'State', render: (model) => <Status tone={TONES[model.state]} word={model.state} /> },
  { id: 'device', title: 'Device', render: ({ running }) => running?.device ?? '–' },
  { id: 'precision', title: 'Precision', render: ({ precision }) => precision },
  { id: 'slots', title: 'Slots', render: (model) => <SlotCells model={model} /> },
  { id: 'waiting', title: 'Waiting', align: 'end', render: ({ running }) => orDash(running?.waitingRequests, formatCount) },
  { id: 'rate', title: 'tok/s', align: 'end', render: (model) => (model.running === null ? '–' : formatRate(model.tokensPerSecond)) },
  {
    id: 'kv',
    title: 'KV tokens',
    align: 'end',
    render: ({ running }) => (running === null || running.batches !== null ? '–' : formatCount(running.kvUsedTokens)),
  },
  { id: 'idle', title: 'Idle in', align: 'end', render: (model) => idleText(model) },
];

function SlotCells({ model: { running } }: { readonly model: ModelStatus }) {
  if (running === null) return '–';
  if (running.batches === null) return <Cells slots={running.slotUse} contextLength={running.contextLength} />;
  return `${running.batches.meanSize.toFixed(1)} texts a batch`;
}

function idleText({ running, pinned }: ModelStatus): string {
  if (running === null) return '–';
  if (pinned) return 'pinned';
  return running.unloadInMs === null ? 'in use' : formatSpan(running.unloadInMs);
}
