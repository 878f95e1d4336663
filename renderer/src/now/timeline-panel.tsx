// The last minutes or hours: tokens a second, TTFT, queue, batch; one cursor over all of them.
import { memo, useState } from 'react';
import type { ModelStatus, SeriesAnswer } from '../../../engine/contract.ts';
import { formatCount, formatDuration, formatPlain, formatRate } from '../format.ts';
import { ErrorNote } from '../parts/error-note.tsx';
import { Panel } from '../parts/panel.tsx';
import { Choice, Select } from '../parts/select.tsx';
import { Plot } from '../plot/plot.tsx';
import { PlotGrid } from '../plot/plot-grid.tsx';
import { SPANS, type SpanName } from './timeline.ts';
import { useTimeline } from './use-timeline.ts';

const SPAN_OPTIONS = (Object.keys(SPANS) as SpanName[]).map((value) => ({ value, label: SPANS[value].label }));

export function TimelinePanel({ models }: { readonly models: readonly ModelStatus[] }) {
  const [span, setSpan] = useState<SpanName>('10m');
  const [of, setOf] = useState('all');
  const { answer, error } = useTimeline(span, of);
  const options = [{ value: 'all', label: 'all models' }, ...models.map(({ id }) => ({ value: id, label: id }))];
  const actions = (
    <>
      <Select label='Model of the timeline' hideLabel value={of} options={options} onChange={setOf} />
      <Choice label='Span of the timeline' value={span} options={SPAN_OPTIONS} onChange={setSpan} />
    </>
  );
  return (
    <Panel title='Timeline' actions={actions} className='now-timeline'>
      {error !== null && answer === null ? (
        <ErrorNote error={error} what='The timeline could not be read.' />
      ) : (
        <TimelinePlots answer={answer} slots={mostSlots(models, of)} />
      )}
    </Panel>
  );
}

const EMPTY: readonly (number | null)[] = [];

interface TimelinePlotsProps {
  readonly answer: SeriesAnswer | null;
  readonly slots: number;
}

/** Drawn again when there are new points, not with each moment of the engine. */
const TimelinePlots = memo(function TimelinePlots({ answer, slots }: TimelinePlotsProps) {
  const at = answer?.atMs ?? [];
  const range = answer?.range ?? null;
  const values = (name: keyof SeriesAnswer['values']): readonly (number | null)[] => answer?.values[name] ?? EMPTY;
  const shared = { atMs: at, range, syncKey: 'now' };
  return (
    <PlotGrid>
      <Plot
        {...shared}
        title='Tokens made'
        unit='tok/s'
        format={formatRate}
        lines={[{ label: 'tok/s', values: values('tokensPerSecond') }]}
      />
      <Plot
        {...shared}
        title='Time to first token'
        unit=''
        format={formatDuration}
        least={10}
        band
        lines={[
          { label: 'p99', values: values('ttftP99Ms') },
          { label: 'p50', values: values('ttftP50Ms') },
        ]}
      />
      <Plot
        {...shared}
        title='Queue'
        unit='requests'
        format={formatCount}
        least={5}
        lines={[
          { label: 'waiting', values: values('queueDepth') },
          { label: 'running', values: values('running') },
        ]}
      />
      <Plot
        {...shared}
        title='Batch'
        unit='sequences a step'
        format={formatPlain}
        cellsTo={slots}
        lines={[{ label: 'batch', values: values('meanBatch') }]}
      />
    </PlotGrid>
  );
});

/** Slots of the model with the most; 1 where none is loaded. */
function mostSlots(models: readonly ModelStatus[], of: string): number {
  const counts = models
    .filter(({ id }) => of === 'all' || id === of)
    .map(({ running }) => (running === null || running.batches !== null ? 0 : running.slots));
  return Math.max(1, ...counts);
}
