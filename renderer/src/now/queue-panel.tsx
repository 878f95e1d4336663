// How many run and wait, and how long they waited lately.
import type { QueueNow } from '../../../engine/contract.ts';
import { formatCount, formatDuration, orDash } from '../format.ts';
import { Panel } from '../parts/panel.tsx';
import { Stat } from '../parts/stat.tsx';
import { QueueSpark } from './queue-spark.tsx';

export function QueuePanel({ queue }: { readonly queue: QueueNow }) {
  const { running, waiting, waitP50Ms, waitP99Ms } = queue;
  return (
    <Panel title='Queue'>
      <div className='now-stats'>
        <Stat label='Running' value={formatCount(running)} />
        <Stat label='Waiting' value={formatCount(waiting)} />
      </div>
      <p className='small'>
        Wait p50 {orDash(waitP50Ms, formatDuration)}, p99 {orDash(waitP99Ms, formatDuration)} <span className='quiet'>(5 min)</span>
      </p>
      <QueueSpark />
    </Panel>
  );
}
