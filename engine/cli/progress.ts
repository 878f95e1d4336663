// Owns how long work is shown: a bar that is redrawn on a terminal, a plain line now and then elsewhere.

export interface Progress {
  /** `total` is null while it is not known. Both in the unit that `unit` names. */
  update(label: string, done: number, total: number | null): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

export interface ProgressTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export type ProgressUnit = 'bytes' | 'steps';

const REDRAW_MS = 100;
const PLAIN_LINE_MS = 5000;
const JSON_LINE_MS = 250;
/** Speed is measured over this much of the past. */
const SPEED_WINDOW_MS = 5000;
const SAMPLE_MS = 100;
const BAR_WIDTH = 24;

export function createProgress(target: ProgressTarget, unit: ProgressUnit, now: () => number = Date.now): Progress {
  const everyMs = target.isTTY === true ? REDRAW_MS : PLAIN_LINE_MS;
  let samples: readonly Sample[] = [];
  let label = '';
  let shownAtMs = -Infinity;
  let latest: string | null = null;
  const show = (line: string): void => {
    shownAtMs = now();
    latest = null;
    target.write(target.isTTY === true ? `\r\u001b[2K${line.slice(0, (target.columns ?? 80) - 1)}` : `${line}\n`);
  };
  return {
    update: (nextLabel, done, total) => {
      if (nextLabel !== label) samples = [];
      label = nextLabel;
      samples = withSample(samples, { atMs: now(), done });
      const line = formatProgress({ label, done, total, perSecond: speedOf(samples), unit });
      if (now() - shownAtMs >= everyMs) show(line);
      else latest = line;
    },
    end: () => {
      if (latest !== null) show(latest);
      if (target.isTTY === true && shownAtMs !== -Infinity) target.write('\n');
    },
  };
}

/** One line of JSON on stderr under `progress`, for programs. */
export interface ProgressLine {
  readonly step: string;
  readonly done: number;
  readonly total: number | null;
  readonly unit: ProgressUnit;
  readonly perSecond: number | null;
}

/** A line now and then, and one at the end. */
export function createJsonProgress(target: ProgressTarget, unit: ProgressUnit, now: () => number = Date.now): Progress {
  let samples: readonly Sample[] = [];
  let step = '';
  let shownAtMs = -Infinity;
  let latest: ProgressLine | null = null;
  const show = (line: ProgressLine): void => {
    shownAtMs = now();
    latest = null;
    target.write(`${JSON.stringify({ progress: line })}\n`);
  };
  return {
    update: (nextStep, done, total) => {
      const isNew = nextStep !== step;
      step = nextStep;
      samples = withSample(isNew ? [] : samples, { atMs: now(), done });
      const line = { step, done, total, unit, perSecond: speedOf(samples) };
      if (isNew || now() - shownAtMs >= JSON_LINE_MS) show(line);
      else latest = line;
    },
    end: () => {
      if (latest !== null) show(latest);
    },
  };
}

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** With a new sample, without those that are too old, but for one to measure from; a fast download's are thinned out. */
function withSample(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const before = samples.at(-2);
  const kept = before !== undefined && next.atMs - before.atMs < SAMPLE_MS ? samples.slice(0, -1) : samples;
  const recent = kept.filter(({ atMs }) => next.atMs - atMs <= SPEED_WINDOW_MS);
  return [...(recent.length === 0 ? kept.slice(-1) : recent), next];
}

/** Per second; null before two samples lie far enough apart. */
export function speedOf(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.atMs - first.atMs < 200) return null;
  return ((last.done - first.done) * 1000) / (last.atMs - first.atMs);
}

export interface ProgressState {
  readonly label: string;
  readonly done: number;
  readonly total: number | null;
  readonly perSecond: number | null;
  readonly unit: ProgressUnit;
}

/** `Downloading x  [=====>    ]  52%  48.1 of 92.1 MB  11.2 MB/s  4 s left` */
export function formatProgress({ label, done, total, perSecond, unit }: ProgressState): string {
  const share = total === null || total === 0 ? null : Math.min(1, done / total);
  const parts = [label, ...(share === null ? [] : [`[${bar(share)}]`, `${Math.floor(share * 100)}%`.padStart(4)])];
  if (unit === 'bytes') parts.push(total === null ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`);
  if (unit === 'bytes' && perSecond !== null) parts.push(`${formatBytes(perSecond)}/s`);
  if (total !== null && perSecond !== null && perSecond > 0 && done < total)
    parts.push(`${formatSeconds((total - done) / perSecond)} left`);
  return parts.join('  ');
}

function bar(share: number): string {
  const filled = Math.floor(share * BAR_WIDTH);
  return `${'='.repeat(filled)}${filled < BAR_WIDTH ? '>' : ''}`.padEnd(BAR_WIDTH).slice(0, BAR_WIDTH);
}

/** Decimal units, as disks and networks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 100 ? 1 : 0)} ${['', 'kB', 'MB', 'GB', 'TB'][power] ?? ''}`;
}

function formatSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
