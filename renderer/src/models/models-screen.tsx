// The models of this machine: those that are installed, those that come, and how to get more.
import { useEffect, useState } from 'react';
import type { CatalogueModel, DeviceNow, JobStatus, ModelStatus } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { formatBytes, plural } from '../format.ts';
import { useLivePart } from '../live/use-live.tsx';
import { Button } from '../parts/button.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Screen } from '../shell/screen.tsx';
import { JobsPanel } from './jobs-panel.tsx';
import { useModelCommands } from './model-actions.tsx';
import { ModelDialog } from './model-dialog.tsx';
import { inOrder, modelMatches } from './model-list.ts';
import { ModelTable } from './model-table.tsx';
import { PullDialog } from './pull-dialog.tsx';
import { usePull } from './use-pull.ts';
import './models.css';

export function ModelsScreen() {
  const now = useLivePart((state) => state.now);
  const [search, setSearch] = useState('');
  const [pulling, setPulling] = useState(false);
  const [openId, setOpenId] = useState<string | null>(null);
  const hidden = useHidden(now?.models ?? NO_MODELS);
  const commands = useModelCommands(hidden);
  const models = (now?.models ?? NO_MODELS).filter(({ id }) => !hidden.ids.has(id));
  const shown = inOrder(models.filter((model) => modelMatches(model, search)));
  return (
    <Screen
      title='Models'
      actions={
        <>
          <input
            type='search'
            aria-label='Search models'
            placeholder='Search (/)'
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
          <Button kind='primary' onClick={() => setPulling(true)}>
            Get a model
          </Button>
        </>
      }
    >
      <JobsPanel jobs={now?.jobs ?? NO_JOBS} />
      {now === null && <Loading lines={6} label='Loading the models' />}
      {now !== null && models.length === 0 && <NoModel devices={now.devices} jobs={now.jobs} onChoose={() => setPulling(true)} />}
      {models.length > 0 && (
        <Panel title='Installed' actions={<span className='quiet'>{summaryOf(models, shown.length)}</span>}>
          <ModelTable models={shown} commands={commands} onOpen={({ id }) => setOpenId(id)} />
        </Panel>
      )}
      <ModelDialog model={models.find(({ id }) => id === openId)} commands={commands} onClose={() => setOpenId(null)} />
      <PullDialog
        open={pulling}
        onClose={() => setPulling(false)}
        installed={new Set(models.map(({ id }) => id))}
        devices={now?.devices ?? NO_DEVICES}
      />
    </Screen>
  );
}

const NO_MODELS: readonly ModelStatus[] = [];
const NO_JOBS: readonly JobStatus[] = [];
const NO_DEVICES: readonly DeviceNow[] = [];

/** `12 models, 3 loaded with 1.2 GB of memory, 8.1 GB on disk` */
function summaryOf(models: readonly ModelStatus[], shownCount: number): string {
  const loaded = models.filter(({ running }) => running !== null);
  const memory = loaded.reduce((sum, { running }) => sum + (running?.memoryBytes ?? 0), 0);
  const disk = models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const all = `${plural(models.length, 'model')}, ${loaded.length} loaded${memory > 0 ? ` with ${formatBytes(memory)} of memory` : ''}`;
  return `${shownCount === models.length ? '' : `${shownCount} of `}${all}, ${formatBytes(disk)} on disk`;
}

/** Models that were just deleted here: out of sight before the live feed says so, until it does. */
function useHidden(models: readonly ModelStatus[]) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const left = new Set([...ids].filter((id) => models.some((model) => model.id === id)));
    if (left.size !== ids.size) setIds(left);
  }, [models, ids]);
  return {
    ids,
    hide: (id: string) => setIds((all) => new Set([...all, id])),
    unhide: (id: string) => setIds((all) => new Set([...all].filter((each) => each !== id))),
  };
}

interface NoModelProps {
  readonly devices: readonly DeviceNow[];
  readonly jobs: readonly JobStatus[];
  readonly onChoose: () => void;
}

/** Offers the smallest model that chats. */
function NoModel({ devices, jobs, onChoose }: NoModelProps) {
  const catalogue = useRead<readonly CatalogueModel[]>('/api/catalogue');
  const { pull, error, busy } = usePull();
  const first = catalogue.data?.filter(({ use }) => use === 'text').toSorted((a, b) => a.sizeBytes - b.sizeBytes)[0];
  const coming = jobs.some(({ endedMs }) => endedMs === null);
  const machine = devices.map(({ name }) => name).join(', ');
  const offer = first !== undefined && !coming && (
    <Button kind='primary' busy={busy} onClick={() => void pull(first.id, 'default')}>
      Get {first.title} ({formatBytes(first.sizeBytes)})
    </Button>
  );
  const action = (
    <>
      <span className='row'>
        {offer}
        <Button onClick={onChoose}>Choose another</Button>
      </span>
      {error !== null && <ErrorNote error={error} what='The download did not begin.' />}
    </>
  );
  return (
    <Empty title={coming ? 'Your first model is on its way' : 'No model yet'} action={action}>
      {coming
        ? 'It appears here as soon as it is converted, and answers from then on.'
        : `Models run on this machine alone${machine === '' ? '' : ` (${machine})`}: what is asked and answered stays on it. A small one runs on any machine.`}
    </Empty>
  );
}
