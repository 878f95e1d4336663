// Requests, errors, tokens and latency percentiles of all models or one.
import type { SeriesName, TimeRange } from '../../../engine/contract.ts';
import { formatCount, formatDuration, formatPlain, formatRate } from '../format.ts';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { PlotGrid } from '../plot/plot-grid.tsx';
import { Plot } from '../plot/plot.tsx';
import { useSeries } from './use-series.ts';

const NAMES = [
  'requests',
  'errors',
  'promptTokens',
  'completionTokens',
  'totalP50Ms',
  'totalP99Ms',
  'ttftP50Ms',
  'ttftP99Ms',
  'interTokenP50Ms',
  'interTokenP99Ms',
  'waitP50Ms',
  'waitP99Ms',
  'meanBatch',
  'tokensPerSecond',
] as const satisfies readonly SeriesName[];

export interface HistoryPlotsProps {
  readonly range: TimeRange;
  /** Null: all of them. */
  readonly model: string | null;
  readonly onSelect: (range: TimeRange) => void;
}

const LATENCIES = [
  { title: 'Total time', p50: 'totalP50Ms', p99: 'totalP99Ms' },
  { title: 'Time to first token', p50: 'ttftP50Ms', p99: 'ttftP99Ms' },
  { title: 'Between tokens', p50: 'interTokenP50Ms', p99: 'interTokenP99Ms' },
  { title: 'Wait in the queue', p50: 'waitP50Ms', p99: 'waitP99Ms' },
] as const;

export function HistoryPlots({ range, model, onSelect }: HistoryPlotsProps) {
  const series = useSeries(range, NAMES, model ?? 'all');
  const { values } = series;
  const shared = { atMs: series.atMs, range: series.range, syncKey: 'history', onSelect };
  if (series.error !== null) return <ErrorNote error={series.error} what='The history could not be read.' onRetry={series.retry} />;
  return (
    <Panel title='Latency and load' actions={<span className='quiet small'>Drag over a plot to see the slow requests of that time.</span>}>
      <PlotGrid>
        {LATENCIES.map(({ title, p50, p99 }) => (
          <Plot
            key={title}
            {...shared}
            title={title}
            unit=''
            format={formatDuration}
            least={10}
            band
            lines={percentiles(values(p99), values(p50))}
          />
        ))}
        <Plot
          {...shared}
          title='Requests'
          unit={`per ${stepName(series.stepMs)}`}
          format={formatCount}
          least={5}
          lines={[
            { label: 'all', values: values('requests') },
            { label: 'errors', values: values('errors') },
          ]}
        />
        <Plot
          {...shared}
          title='Tokens'
          unit={`per ${stepName(series.stepMs)}`}
          format={formatShortCount}
          lines={[
            { label: 'read', values: values('promptTokens') },
            { label: 'written', values: values('completionTokens') },
          ]}
        />
        <Plot {...shared} title='Speed' unit='tok/s' format={formatRate} lines={[{ label: 'tok/s', values: values('tokensPerSecond') }]} />
        <Plot
          {...shared}
          title='Batch'
          unit='sequences a step'
          format={formatPlain}
          lines={[{ label: 'batch', values: values('meanBatch') }]}
        />
      </PlotGrid>
    </Panel>
  );
}

const percentiles = (p99: readonly (number | null)[], p50: readonly (number | null)[]) => [
  { label: 'p99', values: p99 },
  { label: 'p50', values: p50 },
];

/** `1.2M`, `45k`, `300` */
function formatShortCount(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)}M`;
  return count >= 1e4 ? `${Math.round(count / 1e3)}k` : formatCount(count);
}

function stepName(stepMs: number): string {
  if (stepMs === 1_000) return 'second';
  if (stepMs === 60_000) return 'minute';
  return stepMs === 3_600_000 ? 'hour' : 'day';
}
