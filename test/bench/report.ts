// Pure: figures as a Markdown table, and the machine in one line.
import { type Figure, meetsGoal, ratio } from './figure.ts';
import type { Machine } from './machine.ts';
import { median } from './statistics.ts';

const HEAD = ['part', 'figure', 'ours', 'peer', 'ratio', 'goal', ''];

/** One row a figure: medians with their spread, the ratio, and whether it reaches its goal. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.part,
    figure.unit === '' ? figure.name : `${figure.name}, ${figure.unit}`,
    renderSamples(figure.ours),
    renderSamples(figure.peer),
    renderRatio(ratio(figure)),
    renderGoal(figure),
    renderVerdict(meetsGoal(figure)),
  ]);
  return [HEAD, HEAD.map(() => '-'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `foreignCores`: what other processes took, seen before each round. */
export function renderMachine(machine: Machine, peerVersion: string | null, foreignCores: readonly number[]): string {
  const peer = peerVersion === null ? 'no peer' : `llama.cpp ${peerVersion}`;
  const sets = machine.instructionSets.join(' ') || 'instruction sets unknown';
  const most = Math.max(0, ...foreignCores).toFixed(2);
  return `${machine.cpu}, ${machine.cores} cores, ${sets}; ${peer}; other processes took at most ${most} cores before a round`;
}

function renderSamples(samples: readonly number[]): string {
  if (samples.length === 0) return '–';
  if (samples.length === 1) return renderNumber(median(samples));
  return `${renderNumber(median(samples))} [${renderNumber(Math.min(...samples))}–${renderNumber(Math.max(...samples))}]`;
}

function renderRatio(value: number | null): string {
  return value === null || Number.isNaN(value) ? '–' : `${renderNumber(value)}×`;
}

function renderGoal(figure: Figure): string {
  const sign = figure.better === 'higher' ? '≥' : '≤';
  if (figure.ratioGoal !== undefined) return `${sign} ${figure.ratioGoal}×`;
  return figure.valueGoal === undefined ? '' : `${sign} ${figure.valueGoal} ${figure.unit}`.trimEnd();
}

function renderVerdict(verdict: boolean | null): string {
  if (verdict === null) return '';
  return verdict ? 'yes' : '**no**';
}

/** Three digits that mean something, no exponent. */
function renderNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'none' : '∞';
  const magnitude = Math.abs(value);
  if (magnitude >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (magnitude >= 10) return value.toFixed(1);
  return value.toFixed(magnitude >= 2 ? 2 : 3);
}
