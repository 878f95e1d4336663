// The past: latency, tokens and errors over a range of time, the requests in it, and each request's own timeline.
import type { TimeRange } from '../../../engine/contract.ts';
import { withQuery } from '../api/client.ts';
import { Panel } from '../parts/panel.tsx';
import { usePlaceQuery } from '../shell/hash-location.ts';
import { Screen } from '../shell/screen.tsx';
import { DevicePlots } from './device-plots.tsx';
import { HistoryPlots } from './history-plots.tsx';
import { RangePicker, usePickedRange } from './range-picker.tsx';
import { RequestList } from './request-list.tsx';
import { SubjectSelect } from './subject-select.tsx';
import './history.css';

export function HistoryScreen() {
  const picked = usePickedRange('24h');
  const [query, change] = usePlaceQuery();
  const device = query.get('device');
  // From a point of a plot to the slow requests of that moment.
  const narrow = ({ fromMs, toMs }: TimeRange): void =>
    change({ range: null, from: String(fromMs), to: String(toMs), order: 'slowest' }, { newStep: true });
  const actions = (
    <>
      <SubjectSelect />
      <RangePicker picked={picked} />
    </>
  );
  return (
    <Screen title='History' actions={actions}>
      {device === null ? (
        <HistoryPlots range={picked.range} model={query.get('model')} onSelect={narrow} />
      ) : (
        <DevicePlots range={picked.range} device={device} onSelect={narrow} />
      )}
      <RequestList range={picked.range} />
      <ExportPanel range={picked.range} />
    </Screen>
  );
}

const TABLES = ['requests', 'samples', 'alerts'] as const;

function ExportPanel({ range }: { readonly range: TimeRange }) {
  const href = (table: string, format: string): string =>
    withQuery('/api/history/export', { from: range.fromMs, to: range.toMs, table, format });
  return (
    <Panel title='Export this range'>
      <div className='row'>
        {TABLES.map((table) => (
          <span key={table} className='row history-export'>
            {table}:
            <a href={href(table, 'csv')} download>
              CSV
            </a>
            <a href={href(table, 'jsonl')} download>
              JSONL
            </a>
          </span>
        ))}
      </div>
    </Panel>
  );
}
