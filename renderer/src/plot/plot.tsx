// A plot over time: thin lines with their names at their ends, gaps as gaps, and a cursor that all plots of a key share.
import { useEffect, useRef } from 'react';
import type uPlot from 'uplot';
import { useTheme } from '../shell/theme.tsx';
import { describePlot, readout, type PlotProps } from './plot-data.ts';
import { readInk, type Ink } from './plot-draw.ts';
import { PLOT_HEIGHT, plotOptions } from './plot-options.ts';
import './plot.css';

export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLSpanElement>(null);
  const chart = useRef<LiveChart>(null);
  const { theme } = useTheme();
  useEffect(() => {
    if (box.current === null || text.current === null) return;
    const live = new LiveChart(box.current, text.current);
    chart.current = live;
    return () => live.destroy();
  }, []);
  useEffect(() => chart.current?.update(props, theme));
  return (
    <figure className='plot'>
      <figcaption>
        <span>{props.title}</span> <span className='quiet small'>{props.unit}</span>
        <span ref={text} className='plot-readout' aria-hidden='true' />
      </figcaption>
      <div ref={box} className='plot-box' role='img' aria-label={describePlot(props)} />
    </figure>
  );
}

/** Owns one uPlot chart: made once its code has been loaded, fed with each change, resized with its box. */
class LiveChart {
  readonly #box: HTMLElement;
  readonly #text: HTMLElement;
  readonly #observer: ResizeObserver;
  #chart: uPlot | null = null;
  #props: PlotProps | null = null;
  #ink: Ink;
  #theme: string | null = null;
  #cursor: number | null = null;
  #destroyed = false;

  constructor(box: HTMLElement, text: HTMLElement) {
    this.#box = box;
    this.#text = text;
    this.#ink = readInk(box);
    this.#observer = new ResizeObserver(() => this.#chart?.setSize({ width: box.clientWidth, height: PLOT_HEIGHT }));
    this.#observer.observe(box);
    void this.#create();
  }

  update(props: PlotProps, theme: string): void {
    this.#props = props;
    if (theme !== this.#theme) this.#ink = readInk(this.#box);
    this.#theme = theme;
    this.#draw();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#observer.disconnect();
    this.#chart?.destroy();
    this.#chart = null;
  }

  async #create(): Promise<void> {
    const { default: Chart } = await import('uplot');
    const props = this.#props;
    if (this.#destroyed || props === null) return;
    const source = { props: () => this.#props ?? props, ink: () => this.#ink, onCursor: (index: number | null) => this.#point(index) };
    this.#chart = new Chart(plotOptions(source, this.#box.clientWidth), [[], ...props.lines.map(() => [])], this.#box);
    this.#draw();
  }

  #draw(): void {
    const [chart, props] = [this.#chart, this.#props];
    if (chart === null || props === null) return;
    chart.batch(() => {
      chart.setData([[...props.atMs], ...props.lines.map(({ values }) => [...values])], false);
      const { fromMs, toMs } = props.range ?? { fromMs: Date.now() - 1, toMs: Date.now() };
      chart.setScale('x', { min: fromMs, max: toMs });
    });
    this.#write();
  }

  #point(index: number | null): void {
    this.#cursor = index;
    this.#write();
  }

  #write(): void {
    if (this.#props !== null) this.#text.textContent = readout(this.#props, this.#cursor);
  }
}
