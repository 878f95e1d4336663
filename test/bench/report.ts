// Pure: figures as a Markdown table, and the machine in one line.
import { type Figure, meetsGoal, ratio } from './figure.ts';
import type { Machine } from './machine.ts';
import { median } from './statistics.ts';

const HEAD = ['part', 'figure', 'ours', 'llama.cpp', 'ratio', 'goal', ''];

/** One row a figure: medians with their spread, the ratio, and whether it reaches its goal. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.part,
    `${figure.name}, ${figure.unit}`,
    renderSamples(figure.ours),
    renderSamples(figure.peer),
    renderRatio(ratio(figure)),
    renderGoal(figure),
    renderVerdict(meetsGoal(figure)),
  ]);
  return [HEAD, HEAD.map(() => '-'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function renderMachine(machine: Machine, peerVersion: string | null): string {
  const peer = peerVersion === null ? 'no peer' : `llama.cpp ${peerVersion}`;
  return `${machine.cpu}, ${machine.cores} cores, ${machine.instructionSets.join(' ') || 'instruction sets unknown'}; ${peer}`;
}

function renderSamples(samples: readonly number[]): string {
  if (samples.length === 0) return '–';
  if (samples.length === 1) return renderNumber(median(samples));
  return `${renderNumber(median(samples))} [${renderNumber(Math.min(...samples))}–${renderNumber(Math.max(...samples))}]`;
}

function renderRatio(value: number | null): string {
  return value === null ? '–' : `${renderNumber(value)}×`;
}

function renderGoal(figure: Figure): string {
  const sign = figure.better === 'higher' ? '≥' : '≤';
  if (figure.ratioGoal !== undefined) return `${sign} ${figure.ratioGoal}×`;
  return figure.valueGoal === undefined ? '' : `${sign} ${figure.valueGoal} ${figure.unit}`;
}

function renderVerdict(verdict: boolean | null): string {
  if (verdict === null) return '';
  return verdict ? 'yes' : '**no**';
}

/** Three significant digits, no exponent. */
function renderNumber(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return value.toFixed(0);
  return value.toFixed(magnitude >= 10 ? 1 : 2);
}
