// What a plot is given, and its summary in words. Pure.
import type { TimeRange } from '../../../engine/contract.ts';

export interface PlotLine {
  /** Written at the line's end. */
  readonly label: string;
  /** As long as the plot's `atMs`; null is a gap. */
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  readonly title: string;
  /** Of the axis. */
  readonly unit: string;
  readonly format: (value: number) => string;
  readonly atMs: readonly number[];
  /** Null while nothing is known. */
  readonly range: TimeRange | null;
  /** One or two. */
  readonly lines: readonly PlotLine[];
  /** The axis ends no lower than this, however small the values are; 1 where left out. */
  readonly least?: number;
  /** Fill between the two lines. */
  readonly band?: boolean;
  /** Draw columns of cells instead of a line, up to so many. */
  readonly cellsTo?: number;
  /** Plots of one key share their cursor. */
  readonly syncKey: string;
  /** A time was chosen by dragging. */
  readonly onSelect?: (range: TimeRange) => void;
}

/** `Tokens made in tok/s: tok/s last 412, most 430` */
export function describePlot({ title, unit, lines, format }: PlotProps): string {
  const parts = lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    const last = known.at(-1);
    return last === undefined ? `${label}: nothing recorded` : `${label} last ${format(last)}, most ${format(Math.max(...known))}`;
  });
  return `${title}${unit === '' ? '' : ` in ${unit}`}: ${parts.join('; ')}`;
}

/** `p99 85 ms, p50 40 ms at 14:03:22`; without a place, the last values. */
export function readout({ lines, format, atMs }: PlotProps, index: number | null): string {
  const at = index === null ? null : (atMs[index] ?? null);
  const parts = lines.map(({ label, values }) => {
    const value = index === null ? values.findLast((each) => each !== null) : values[index];
    return `${lines.length === 1 ? '' : `${label} `}${value === null || value === undefined ? '–' : format(value)}`;
  });
  return `${parts.join(', ')}${at === null ? '' : ` at ${new Date(at).toLocaleTimeString('en-GB')}`}`;
}
