// `millrace doctor`: the checklist of the running server on the terminal, and its drill.
import { setTimeout as delay } from 'node:timers/promises';
import type { ChecklistAnswer, CheckItem, DrillReport } from '../contract.ts';
import { EngineError, fromWireError } from '../errors.ts';
import { engineLockPath, lockOwner } from '../instance-lock.ts';
import { EXIT } from './exit-codes.ts';

export interface DoctorFlags {
  readonly json: boolean;
  readonly drill: boolean;
  readonly force: boolean;
  /** API key, where the server asks for one. */
  readonly key: string | null;
}

const LOOK_MS = 500;
const MARKS: Readonly<Record<CheckItem['state'], string>> = { good: 'ok  ', attention: 'look', bad: 'BAD ', unknown: '?   ' };

/** Prints what was found; the code is 1 when a point is bad, or the drill failed. @throws EngineError when no server answers */
export async function doctor(dataDir: string, flags: DoctorFlags): Promise<number> {
  const ask = asker(dataDir, flags.key);
  if (flags.drill) return tellDrill(await drilled(ask, flags.force), flags.json);
  const answer = await ask<ChecklistAnswer>('/api/checklist');
  print(flags.json ? JSON.stringify(answer, null, 2) : checklistText(answer));
  return answer.items.some(({ state }) => state === 'bad') ? EXIT.failed : EXIT.ok;
}

/** As the API says it. */
type Refusal = Omit<Parameters<typeof fromWireError>[0], 'retryAfterSeconds'>;
type Ask = <T>(path: string, body?: object) => Promise<T>;

function asker(dataDir: string, key: string | null): Ask {
  const address = lockOwner(engineLockPath(dataDir))?.address ?? null;
  if (address === null)
    throw new EngineError('not_found', 'No server runs on this data folder. Start one: millrace serve', { param: '--data-dir' });
  return async <T>(path: string, body?: object): Promise<T> => {
    const headers = { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
    const response = await fetch(
      address + path,
      body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) },
    );
    const answer = (await response.json()) as T & { readonly error?: Refusal };
    if (!response.ok && answer.error !== undefined) throw fromWireError({ ...answer.error, retryAfterSeconds: null });
    return answer;
  };
}

async function drilled(ask: Ask, force: boolean): Promise<DrillReport> {
  const { running } = await ask<ChecklistAnswer['drill']>('/api/checklist/drill', { force });
  for (;;) {
    const { drill } = await ask<ChecklistAnswer>('/api/checklist');
    const [last] = drill.reports;
    if (drill.running === null && last !== undefined && last.startedMs >= (running?.startedMs ?? 0)) return last;
    if (drill.running === null) throw new EngineError('internal', "The drill ended early; the server's log says why.");
    await delay(LOOK_MS);
  }
}

function tellDrill(report: DrillReport, json: boolean): number {
  print(json ? JSON.stringify(report, null, 2) : drillText(report));
  return report.passed ? EXIT.ok : EXIT.failed;
}

/** One point a paragraph, then what to change in sizes. */
export function checklistText({ items, advice }: ChecklistAnswer): string {
  const points = items.map((item) => `${MARKS[item.state]} ${item.title}: ${item.figure}\n       ${item.sentence}${remedyText(item)}`);
  return [...points, ...advice.map(({ sentence }) => `  -  ${sentence}`)].join('\n');
}

function remedyText({ action, point }: CheckItem): string {
  if (action === null) return '';
  if (action.kind === 'advice') return `\n       To do: ${action.text}`;
  const where = action.kind === 'open' ? `in the console under ${action.path}` : `in the console, or POST /api/checklist/${point}/mend`;
  return `\n       To do: ${action.label} (${where})`;
}

export function drillText({ model, passed, baselineTtftMs, steps }: DrillReport): string {
  const baseline = baselineTtftMs === null ? 'without a first token' : `first token after ${Math.round(baselineTtftMs)} ms`;
  const lines = steps.map(({ step, verdict, sentence }) => `${verdict.padEnd(7)} ${step.replaceAll('_', ' ')}: ${sentence}`);
  return [`Drill on ${model} (${baseline} before it)`, ...lines, passed ? 'passed' : 'FAILED'].join('\n');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
