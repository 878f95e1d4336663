// Batches: what runs and why not, each with its progress, cost and files.
import { useState } from 'react';
import type { BatchesAnswer, BatchActivity } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { Button } from '../parts/button.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Status, type Tone } from '../parts/status.tsx';
import { Screen } from '../shell/screen.tsx';
import { BatchCard } from './batch-card.tsx';
import { NewBatchDialog } from './new-batch.tsx';
import './batches.css';

const EVERY_MS = 1_000;
const TONES: Readonly<Record<BatchActivity['kind'], Tone>> = { idle: 'idle', running: 'busy', waiting: 'warning' };

export function BatchesScreen() {
  const { data, error, refetch } = useRead<BatchesAnswer>('/api/batches', { everyMs: EVERY_MS });
  const [adding, setAdding] = useState(false);
  const add = (
    <Button kind='primary' onClick={() => setAdding(true)}>
      New batch
    </Button>
  );
  return (
    <Screen title='Batches' actions={add}>
      {data === undefined && error !== null && (
        <ErrorNote error={error} what='The batches could not be read.' onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading lines={6} />}
      {data !== undefined && (
        <>
          <div className='row'>
            <Status tone={TONES[data.activity.kind]} word={data.activity.kind} />
            <span>{data.activity.reason}</span>
            <a className='push' href='#/settings'>
              When batches may run
            </a>
          </div>
          <Panel title='Batches'>
            {data.batches.length === 0 && (
              <Empty title='No batch yet.'>
                A batch is a file with one request a line. Its rows run when nobody else needs the machine, at the price of the electricity.
              </Empty>
            )}
            {data.batches.map((batch) => (
              <BatchCard key={batch.id} batch={batch} />
            ))}
          </Panel>
        </>
      )}
      {adding && <NewBatchDialog onClose={() => setAdding(false)} />}
    </Screen>
  );
}
