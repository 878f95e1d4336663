// The ten points of a deployment with what mends each, advice on sizes, and the drill.
import { useEffect, useState } from 'react';
import type { ChecklistAnswer } from '../../../engine/contract.ts';
import { useRead } from '../api/queries.tsx';
import { plural } from '../format.ts';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Screen } from '../shell/screen.tsx';
import { CheckCard } from './check-card.tsx';
import { DrillPanel } from './drill-panel.tsx';
import './checklist.css';

const EVERY_MS = 10_000;
/** While a drill runs its step is shown. */
const DRILLING_MS = 1_000;

export function ChecklistScreen() {
  const [isDrilling, setDrilling] = useState(false);
  const { data, error, refetch } = useRead<ChecklistAnswer>('/api/checklist', { everyMs: isDrilling ? DRILLING_MS : EVERY_MS });
  const runs = data !== undefined && data.drill.running !== null;
  useEffect(() => setDrilling(runs), [runs]);
  return (
    <Screen title='Checklist'>
      {data === undefined && error !== null && (
        <ErrorNote error={error} what='The checklist could not be read.' onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading lines={12} />}
      {data !== undefined && (
        <>
          <Panel title='Ten points of a deployment' actions={<span className='quiet'>{summary(data)}</span>}>
            <ul className='checks'>
              {data.items.map((item) => (
                <CheckCard key={item.point} item={item} />
              ))}
            </ul>
          </Panel>
          <Advice answer={data} />
          <DrillPanel drill={data.drill} />
        </>
      )}
    </Screen>
  );
}

function summary({ items }: ChecklistAnswer): string {
  const good = items.filter(({ state }) => state === 'good').length;
  const bad = items.filter(({ state }) => state === 'bad').length;
  return `${good} of ${items.length} good${bad === 0 ? '' : `, ${plural(bad, 'problem')}`}`;
}

function Advice({ answer: { advice } }: { readonly answer: ChecklistAnswer }) {
  return (
    <Panel title='Right-sizing'>
      {advice.length === 0 && (
        <Empty title='Nothing to say yet.'>
          Once the devices have been sampled for an hour, their use and what others would cost stand here.
        </Empty>
      )}
      <ul className='stack'>
        {advice.map(({ id, sentence, basis }) => (
          <li key={id}>
            <p className='wrap-anywhere'>{sentence}</p>
            <p className='quiet small wrap-anywhere'>{basis}</p>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
