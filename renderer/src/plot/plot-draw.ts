// What is drawn over uPlot's own lines: labels at their ends, and cells.
import type uPlot from 'uplot';
import { bucketMeans } from './nice-scale.ts';
import type { PlotProps } from './plot-data.ts';

/** Colours and font as the page's style has them now. */
export interface Ink {
  readonly lines: readonly string[];
  readonly quiet: string;
  readonly grid: string;
  readonly font: string;
}

export function readInk(element: Element): Ink {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  return {
    lines: [color('--plot-1'), color('--plot-2')],
    quiet: color('--quiet'),
    grid: color('--line'),
    font: `12px ${style.fontFamily}`,
  };
}

const LABEL_GAP = 13;

/** Each line's name at its end, moved apart where they would overlap. */
export function drawLabels(chart: uPlot, { lines }: PlotProps, ink: Ink): void {
  const ratio = devicePixelRatio;
  const ends = lines.map(({ label, values }, index) => ({ label, index, y: endHeight(chart, values) }));
  const shown = ends.flatMap((end) => (end.y === null ? [] : [{ ...end, y: end.y }])).sort((a, b) => a.y - b.y);
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.font = ink.font.replace('12px', `${12 * ratio}px`);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  let above = -Infinity;
  for (const { label, index, y } of shown) {
    const place = Math.max(y, above + LABEL_GAP * ratio);
    above = place;
    ctx.fillStyle = ink.lines[index] ?? ink.quiet;
    ctx.fillText(label, bbox.left + bbox.width + 6 * ratio, place);
  }
  ctx.restore();
}

/** In canvas pixels; null without a value. */
function endHeight(chart: uPlot, values: readonly (number | null)[]): number | null {
  const last = values.findLast((value) => value !== null);
  return last === null || last === undefined ? null : chart.valToPos(last, 'y', true);
}

const CELL_COLUMNS = 60;
/** More cells than this in a column would be too small to see: bars then. */
const MOST_CELLS = 32;

/** A column for each part of the range: as many cells as sequences ran in a step on average, the last one cut to its fraction. */
export function drawCells(chart: uPlot, { atMs, lines, range, cellsTo = 1 }: PlotProps, ink: Ink): void {
  const values = lines[0]?.values;
  if (values === undefined || range === null) return;
  const { ctx, bbox } = chart;
  const width = bbox.width / CELL_COLUMNS;
  ctx.save();
  ctx.fillStyle = ink.lines[0] ?? ink.quiet;
  bucketMeans(atMs, values, { ...range, count: CELL_COLUMNS }).forEach((mean, column) => {
    if (mean === null) return;
    const cells = cellsTo > MOST_CELLS ? [mean] : Array.from({ length: Math.ceil(mean) }, (_, cell) => Math.min(1, mean - cell));
    cells.forEach((height, cell) => {
      const top = chart.valToPos(cell + height, 'y', true);
      const bottom = chart.valToPos(cell, 'y', true);
      const gap = Math.min(devicePixelRatio, (bottom - top) / 3);
      ctx.fillRect(bbox.left + column * width, top + gap, Math.max(1, width - devicePixelRatio), bottom - top - gap);
    });
  });
  ctx.restore();
}
