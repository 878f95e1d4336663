// Use, memory, power and temperature of one device.
import type { TimeRange } from '../../../engine/contract.ts';
import { formatBytes, formatShare } from '../format.ts';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { PlotGrid } from '../plot/plot-grid.tsx';
import { Plot } from '../plot/plot.tsx';
import { useSeries } from './use-series.ts';

export interface DevicePlotsProps {
  readonly range: TimeRange;
  readonly device: string;
  readonly onSelect: (range: TimeRange) => void;
}

const PLOTS = [
  { name: 'utilisation', title: 'Use', unit: '', format: formatShare },
  { name: 'memoryUsedBytes', title: 'Memory', unit: '', format: formatBytes },
  { name: 'powerWatts', title: 'Power', unit: 'W', format: (watts: number) => watts.toFixed(0) },
  { name: 'temperatureCelsius', title: 'Temperature', unit: '°C', least: 100, format: (celsius: number) => celsius.toFixed(0) },
] as const;

const NAMES = PLOTS.map(({ name }) => name);

export function DevicePlots({ range, device, onSelect }: DevicePlotsProps) {
  const series = useSeries(range, NAMES, device);
  if (series.error !== null) return <ErrorNote error={series.error} what='The history could not be read.' onRetry={series.retry} />;
  const shared = { atMs: series.atMs, range: series.range, syncKey: 'history', onSelect };
  return (
    <Panel title={`Device ${device}`}>
      <PlotGrid>
        {PLOTS.map(({ name, ...plot }) => (
          <Plot key={name} {...shared} {...plot} lines={[{ label: device, values: series.values(name) }]} />
        ))}
      </PlotGrid>
    </Panel>
  );
}
