// Graded prompts of subjects that the router was not trained on, replayed through the real gateway: two targets answer as well as the
// grades say, at 1 : 20. Every prompt is replayed once a round, by the router of the folds that it is not in. Needs MILLRACE_GRADED, a
// file of graded prompts; a smoke run makes some.
import { replayRows } from '../../../engine/cli/router-replay.ts';
import { readSurface } from '../../../engine/routing/complexity/features.ts';
import { readGraded, type GradedRow } from '../../../engine/routing/complexity/graded.ts';
import type { RouterModel } from '../../../engine/routing/complexity/model.ts';
import { seededRandom, shuffled } from '../../../engine/routing/complexity/random.ts';
import { trainRouter, type Sample } from '../../../engine/routing/complexity/train.ts';
import { validateRouter } from '../../../engine/routing/complexity/validate.ts';
import { replayReports, type Replayed } from '../../../engine/routing/replay/report.ts';
import { gradedPrompts } from '../../routing/complexity/graded-prompts.ts';
import type { BenchContext } from '../context.ts';
import { type Figure, Figures } from '../figure.ts';

const BAR = 0.95;
const SAVED_GOAL = 0.4;
const FOLDS = 4;
const SMOKE_PROMPTS = 160;

export async function replayPart(context: BenchContext): Promise<readonly Figure[]> {
  const figures = new Figures('replay');
  const rows = await promptsOf(context);
  for (let round = 1; round <= context.reps; round++)
    for (const { benchmark, kept, saved } of replayReports(await replayUnseen(rows, round))) {
      figures.add('ours', saved, { name: `${benchmark}, unseen: cost saved`, unit: 'share', better: 'higher', valueGoal: SAVED_GOAL });
      const name = `${benchmark}, unseen: kept of the strong target’s accuracy`;
      figures.add('ours', kept?.share ?? 0, { name, unit: 'share', better: 'higher', valueGoal: BAR });
    }
  return figures.list();
}

async function promptsOf(context: BenchContext): Promise<readonly GradedRow[]> {
  const { smoke } = context;
  const path = process.env['MILLRACE_GRADED'];
  if (path !== undefined) {
    const rows = await readGraded(path);
    return smoke ? shuffled(rows, seededRandom(0)).slice(0, SMOKE_PROMPTS) : rows;
  }
  if (!smoke) context.log('MILLRACE_GRADED names no file of graded prompts: nothing is replayed.');
  return smoke ? gradedPrompts(SMOKE_PROMPTS, 1).map(toRow) : [];
}

function toRow({ prompt, weak, strong, ...rest }: ReturnType<typeof gradedPrompts>[number]): GradedRow {
  return { ...rest, facts: { text: prompt, turns: 0, tools: 0, schema: false }, weak: Number(weak), strong: Number(strong) };
}

async function replayUnseen(rows: readonly GradedRow[], seed: number): Promise<readonly Replayed[]> {
  const folds = assignFolds(rows, seed);
  const replayed: Replayed[] = [];
  for (let fold = 0; fold < FOLDS && rows.length > 0; fold++) {
    const unseen = rows.filter((row) => folds.get(row) === fold);
    const model = trained(
      rows.filter((row) => folds.get(row) !== fold),
      seed,
    );
    replayed.push(...(await replayRows(unseen, { model, qualityBar: BAR, seed })));
  }
  return replayed;
}

/** By subject, or by prompt in a benchmark of one subject alone. */
function assignFolds(rows: readonly GradedRow[], seed: number): ReadonlyMap<GradedRow, number> {
  const folds = new Map<GradedRow, number>();
  for (const own of Map.groupBy(rows, ({ benchmark }) => benchmark).values()) {
    const subjects = [...Map.groupBy(own, ({ subject }) => subject).values()];
    const units = subjects.length < FOLDS ? own.map((row) => [row]) : subjects;
    for (const [place, unit] of shuffled(units, seededRandom(seed)).entries()) for (const row of unit) folds.set(row, place % FOLDS);
  }
  return folds;
}

/** From the training prompts alone, its promises checked on subjects left out of them. */
function trained(rows: readonly GradedRow[], seed: number): RouterModel {
  const samples = rows.map((row): Sample => ({ row, surface: readSurface(row.facts), embedding: null }));
  const seeds = [2 * seed, 2 * seed + 1];
  const { shrinkage } = validateRouter(samples, { seeds, projection: null });
  const provenance = { data: '', licence: '', rows: rows.length, subjects: 0, date: '', seed, validation: [] };
  return trainRouter(samples, { seed, projection: null, shrinkage, provenance });
}
