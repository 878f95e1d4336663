// Graded prompts of subjects that the router was not trained on, replayed through the real gateway: two fake targets answer as well as
// the data say, at 1 : 20. Needs MILLRACE_GRADED, a file of graded prompts; without it there is nothing to measure.
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import { createGateway } from '../../../engine/gateway/gateway.ts';
import { createLog } from '../../../engine/log.ts';
import { readSurface } from '../../../engine/routing/complexity/features.ts';
import { readGraded, type GradedRow } from '../../../engine/routing/complexity/graded.ts';
import type { RouterModel } from '../../../engine/routing/complexity/model.ts';
import { createComplexityScorer } from '../../../engine/routing/complexity/predict.ts';
import { seededRandom, shuffled } from '../../../engine/routing/complexity/random.ts';
import { trainRouter, type Sample } from '../../../engine/routing/complexity/train.ts';
import { validateRouter } from '../../../engine/routing/complexity/validate.ts';
import { RoutedHost } from '../../../engine/routing/routed-host.ts';
import { FakeHosts } from '../../fakes/hosts.ts';
import type { BenchContext } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';

/** Share of the strong target's accuracy that is to be kept. */
const KEPT = 0.95;
const STRONG_USD = 20;
const WEAK_USD = 1;
const SMOKE_ROWS = 200;

export async function replayPart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('replay');
  const path = process.env['MILLRACE_GRADED'];
  if (path === undefined) {
    context.log('MILLRACE_GRADED names no file of graded prompts: nothing is replayed.');
    return figures.list();
  }
  const rows = await readGraded(path);
  for (let round = 0; round < context.reps; round++) {
    const { training, unseen } = splitSubjects(rows, round + 1);
    const { model, bar } = trained(training, round + 1);
    const replayed = await replay(shuffled(unseen, seededRandom(round + 1)).slice(0, context.smoke ? SMOKE_ROWS : Infinity), model, bar);
    for (const [benchmark, answers] of Map.groupBy(replayed, ({ row }) => row.benchmark)) addFigures(figures, benchmark, answers);
  }
  return figures.list();
}

interface Replayed {
  readonly row: GradedRow;
  readonly target: string | null;
  /** 0 to 1, as the client read it. */
  readonly grade: number;
}

function addFigures(figures: Figures, benchmark: string, answers: readonly Replayed[]): void {
  const strong = answers.reduce((sum, { row }) => sum + row.strong, 0);
  const kept = answers.reduce((sum, { grade }) => sum + grade, 0) / strong;
  const usd = answers.reduce((sum, { target }) => sum + (target === 'weak' ? WEAK_USD : STRONG_USD), 0);
  const saved = 1 - usd / (answers.length * STRONG_USD);
  figures.add('ours', saved, { name: `${benchmark}, unseen: cost saved by auto`, unit: 'share', better: 'higher', valueGoal: 0.4 });
  figures.add('ours', kept, {
    name: `${benchmark}, unseen: accuracy of the strong kept`,
    unit: 'share',
    better: 'higher',
    valueGoal: KEPT,
  });
}

/** Half of the subjects, or half of the prompts of a benchmark that has one subject alone. */
function splitSubjects(rows: readonly GradedRow[], seed: number) {
  const random = seededRandom(seed);
  const subjects = Map.groupBy(rows, ({ benchmark }) => benchmark);
  const training = [...subjects.values()].flatMap((own) => {
    const names = shuffled([...new Set(own.map(({ subject }) => subject))], random);
    if (names.length < 2) return shuffled(own, random).slice(0, own.length / 2);
    const taken = new Set(names.slice(0, names.length / 2));
    return own.filter(({ subject }) => taken.has(subject));
  });
  const known = new Set(training);
  return { training, unseen: rows.filter((row) => !known.has(row)) };
}

/** The router and its operating point, from the training prompts alone. */
function trained(rows: readonly GradedRow[], seed: number): { readonly model: RouterModel; readonly bar: number } {
  const samples = rows.map((row): Sample => ({ row, surface: readSurface(row.facts), embedding: null }));
  const { shrinkage } = validateRouter(samples, { seeds: [seed], projection: null });
  const provenance = { data: '', licence: '', rows: rows.length, subjects: 0, date: '', seed, validation: [] };
  const strong = rows.reduce((sum, row) => sum + row.strong, 0) / rows.length;
  return { model: trainRouter(samples, { seed, projection: null, shrinkage, provenance }), bar: 1 - (1 - KEPT) * strong };
}

async function replay(rows: readonly GradedRow[], model: RouterModel, qualityBar: number): Promise<readonly Replayed[]> {
  let current: GradedRow | null = null;
  const host = new RoutedHost({
    host: new FakeHosts({ weak: { answer: () => String(current?.weak) }, strong: { answer: () => String(current?.strong) } }),
    settings: () => ({ ...DEFAULT_SETTINGS.routing, latencyGoalMs: null, qualityBar }),
    complexity: () => ({ scorer: createComplexityScorer(model), scale: model.scale }),
    price: (target) => priceOf(target === 'weak' ? WEAK_USD : STRONG_USD, target),
    deviceUsd: () => 0,
    quality: {
      bars: () => null,
      bias: () => 1,
      answered: () => undefined,
      pinned: () => undefined,
      of: () => ({ quality: { kind: 'not_measured' }, perQualityAdjustedUsd: null }),
    },
  });
  const gateway = await createGateway({ host, config: { host: '127.0.0.1', port: 0, version: '0' }, log: createLog('silent') });
  try {
    const { url } = await gateway.listen();
    const replayed: Replayed[] = [];
    for (const row of rows) {
      current = row;
      replayed.push(await ask(url, row));
    }
    return replayed;
  } finally {
    await gateway.close({ drainMs: 0 });
  }
}

function priceOf(usd: number, name: string) {
  return { name, promptUsdPerMillion: usd, completionUsdPerMillion: usd };
}

async function ask(url: string, row: GradedRow): Promise<Replayed> {
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: row.facts.text }] });
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (!response.ok) throw new Error(`A prompt was refused: ${response.status} ${await response.text()}`);
  const answer = (await response.json()) as { readonly choices: readonly { readonly message: { readonly content: string } }[] };
  const target = response.headers.get('x-millrace-model');
  return { row, target, grade: Number(answer.choices[0]?.message.content) };
}
