// Turns what a plot is given into uPlot's options. Colours and values are read when it draws, so that one chart lives on.
import type uPlot from 'uplot';
import { greatest, niceMax } from './nice-scale.ts';
import type { PlotProps } from './plot-data.ts';
import { timeTicks } from './time-ticks.ts';
import { drawCells, drawLabels, type Ink } from './plot-draw.ts';

export interface PlotSource {
  readonly props: () => PlotProps;
  readonly ink: () => Ink;
  /** The cursor is over this point; null: over none. */
  readonly onCursor: (index: number | null) => void;
}

export const PLOT_HEIGHT = 128;

export function plotOptions(source: PlotSource, width: number): uPlot.Options {
  const { props, ink, onCursor } = source;
  const { lines, band = false, cellsTo, syncKey } = props();
  const cells = cellsTo !== undefined;
  return {
    width,
    height: PLOT_HEIGHT,
    ms: 1,
    padding: [8, 56, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: syncKey },
      y: false,
      drag: { x: props().onSelect !== undefined, y: false, setScale: false },
      points: { size: 5 },
    },
    scales: { x: { time: true }, y: { range: () => yRange(props()) } },
    series: [{}, ...lines.map((_, index) => lineOptions(index, source, cells))],
    bands: band ? [{ series: [1, 2], fill: () => `${ink().lines[0] ?? ''}22` }] : [],
    axes: [
      { ...axis(ink, { space: 64, size: 22 }), values: (chart, ticks) => timeTicks(ticks, chart.scales['x']) },
      { ...axis(ink, { space: 28, size: 52 }), values: (_, ticks) => ticks.map((tick) => props().format(tick)) },
    ],
    hooks: {
      draw: [(chart) => (cells ? drawCells(chart, props(), ink()) : drawLabels(chart, props(), ink()))],
      setSelect: [(chart) => select(chart, props())],
      setCursor: [(chart) => onCursor(chart.cursor.idx ?? null)],
    },
  };
}

/** Less than this many pixels is a click, not a choice. */
const LEAST_DRAG = 8;

function select(chart: uPlot, { onSelect }: PlotProps): void {
  const { left, width } = chart.select;
  if (onSelect === undefined || width < LEAST_DRAG) return;
  onSelect({ fromMs: Math.floor(chart.posToVal(left, 'x')), toMs: Math.ceil(chart.posToVal(left + width, 'x')) });
  chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
}

/** From zero to a round number. */
function yRange({ lines, cellsTo, least }: PlotProps): [number, number] {
  const most = greatest(lines.map(({ values }) => values));
  return [0, cellsTo === undefined ? niceMax(most, least) : Math.max(cellsTo, Math.ceil(most))];
}

function lineOptions(index: number, { props, ink }: PlotSource, cells: boolean): uPlot.Series {
  return {
    stroke: () => ink().lines[index] ?? '',
    width: cells ? 0 : 1.25,
    spanGaps: false,
    points: { show: !cells, size: 4, filter: () => alone(props().lines[index]?.values ?? []) },
    ...(cells ? { paths: () => null } : {}),
  };
}

/** Points without a neighbour, which no line would show. */
function alone(values: readonly (number | null)[]): number[] {
  const known = (index: number): boolean => (values[index] ?? null) !== null;
  return values.flatMap((_, index) => (known(index) && !known(index - 1) && !known(index + 1) ? [index] : []));
}

function axis(ink: () => Ink, sizes: { readonly space: number; readonly size: number }): uPlot.Axis {
  const grid = () => ink().grid;
  return {
    ...sizes,
    font: ink().font,
    stroke: () => ink().quiet,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1, size: 4 },
  };
}
