// The installed models as a table: what each takes, what it does now, and what can be done with it.
import type { ModelStatus } from '../../../engine/contract.ts';
import { formatBytes, formatParameters, formatRate, orDash } from '../format.ts';
import { Cells } from '../parts/cells.tsx';
import { Status } from '../parts/status.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { ModelActions, type ModelCommands } from './model-actions.tsx';
import { STATE_TONES, STATE_WORDS, unloadWords, USE_WORDS } from './model-list.ts';

export interface ModelTableProps {
  readonly models: readonly ModelStatus[];
  readonly commands: ModelCommands;
  readonly onOpen: (model: ModelStatus) => void;
}

export function ModelTable({ models, commands, onOpen }: ModelTableProps) {
  const actions: Column<ModelStatus> = {
    id: 'actions',
    title: 'Actions',
    align: 'end',
    render: (model) => <ModelActions model={model} commands={commands} />,
  };
  return (
    <Table
      label='Installed models'
      className='model-table'
      columns={[...COLUMNS, actions]}
      rows={models}
      rowKey={({ id }) => id}
      onOpen={onOpen}
      empty={<p className='quiet'>No model of that name, use, precision or state.</p>}
    />
  );
}

const COLUMNS: readonly Column<ModelStatus>[] = [
  { id: 'name', title: 'Model', grow: true, render: (model) => <ModelName model={model} /> },
  { id: 'state', title: 'State', render: ({ state }) => <Status tone={STATE_TONES[state]} word={STATE_WORDS[state]} /> },
  { id: 'precision', title: 'Precision', render: ({ precision }) => precision },
  {
    id: 'size',
    title: 'Size',
    align: 'end',
    render: ({ parameterCount, sizeBytes }) => `${formatParameters(parameterCount)}, ${formatBytes(sizeBytes)}`,
  },
  { id: 'memory', title: 'Memory', align: 'end', render: ({ running }) => orDash(running?.memoryBytes, formatBytes) },
  { id: 'slots', title: 'Slots', render: (model) => <Slots model={model} /> },
  { id: 'rate', title: 'tok/s', align: 'end', render: (model) => (model.running === null ? '–' : formatRate(model.tokensPerSecond)) },
  { id: 'unload', title: 'Unloads', render: unloadWords },
];

function ModelName({ model: { id, use, failure } }: { readonly model: ModelStatus }) {
  return (
    <span className='model-name'>
      <strong className='ellipsis' title={id}>
        {id}
      </strong>
      {failure === null ? (
        <span className='quiet small'>{USE_WORDS[use]}</span>
      ) : (
        <span className='model-failure small'>{failure} Load it again once that is mended, or delete it and get it anew.</span>
      )}
    </span>
  );
}

function Slots({ model: { running } }: { readonly model: ModelStatus }) {
  if (running === null) return '–';
  const { batches, slotUse, runningRequests, slots, contextLength } = running;
  if (batches !== null) return `${batches.meanSize.toFixed(1)} texts a batch`;
  // A model that has just been loaded has not said yet what its slots do.
  return slotUse.length === 0 ? `${runningRequests} of ${slots} busy` : <Cells slots={slotUse} contextLength={contextLength} />;
}
