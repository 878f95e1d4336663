// What the machine cost over a range, by model, key, endpoint or day, what was saved, and what idling cost.
import type { CostGroup, CostReport } from '../../../engine/contract.ts';
import { withQuery } from '../api/client.ts';
import { useRead } from '../api/queries.tsx';
import { RangePicker, usePickedRange } from '../history/range-picker.tsx';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Choice } from '../parts/select.tsx';
import { usePlaceQuery } from '../shell/hash-location.ts';
import { Screen } from '../shell/screen.tsx';
import { CostFigures } from './cost-figures.tsx';
import { CostRows, DeviceTotal, Rented } from './cost-tables.tsx';
import './cost.css';

const GROUPS = [
  { value: 'model', label: 'Model' },
  { value: 'key', label: 'Key' },
  { value: 'endpoint', label: 'Endpoint' },
  { value: 'day', label: 'Day' },
] as const satisfies readonly { readonly value: CostGroup; readonly label: string }[];

export function CostScreen() {
  const picked = usePickedRange('24h');
  const [query, change] = usePlaceQuery();
  const by = GROUPS.find(({ value }) => value === query.get('by'))?.value ?? 'model';
  const path = withQuery('/api/cost', { from: picked.range.fromMs, to: picked.range.toMs, by });
  const { data, error, refetch } = useRead<CostReport>(path, { keep: true });
  return (
    <Screen title='Cost' actions={<RangePicker picked={picked} />}>
      {data === undefined && error !== null && (
        <ErrorNote error={error} what='The costs could not be read.' onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null && <Loading lines={10} />}
      {data !== undefined && (
        <>
          <CostFigures report={data} />
          <Panel
            title='Where it went'
            actions={<Choice label='Group by' value={by} options={GROUPS} onChange={(value) => change({ by: value })} />}
          >
            <CostRows report={data} />
          </Panel>
          <div className='cost-pair'>
            <DeviceTotal total={data.total} />
            <Rented total={data.total} />
          </div>
          <Panel title='What these figures rest on' actions={<a href='#/settings'>Change</a>}>
            <ul>
              {data.basis.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </Panel>
        </>
      )}
    </Screen>
  );
}
