// The queue's depth over the last ten minutes, as small columns from zero; a gap where nothing was recorded.
import { memo } from 'react';
import type { SeriesAnswer } from '../../../engine/contract.ts';
import { useTimeline } from './use-timeline.ts';
import { Columns } from '../parts/columns.tsx';

const SPAN_MS = 600_000;
const COLUMNS = 60;

/** Drawn again when there are new points, not with each moment of the engine. */
export const QueueSpark = memo(function QueueSpark() {
  const { answer } = useTimeline('10m', 'all');
  const values = answer === null ? [] : columnsOf(answer);
  const most = values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  return (
    <Columns
      values={values}
      count={COLUMNS}
      label={`Waiting over the last 10 min, at most ${most}`}
      caption={`waiting, last 10 min, at most ${most}`}
    />
  );
});

/** The deepest queue of each tenth of a minute; null where nothing was recorded. */
export function columnsOf({ range, atMs, values }: SeriesAnswer): (number | null)[] {
  const columns: (number | null)[] = Array.from({ length: COLUMNS }, () => null);
  const depths = values.queueDepth ?? [];
  atMs.forEach((at, index) => {
    const column = COLUMNS - 1 - Math.floor((range.toMs - 1 - at) / (SPAN_MS / COLUMNS));
    const depth = depths[index] ?? null;
    if (column >= 0 && column < COLUMNS && depth !== null) columns[column] = Math.max(columns[column] ?? 0, depth);
  });
  return columns;
}
