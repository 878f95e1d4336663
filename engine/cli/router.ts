// `millrace router eval` and `millrace router train`: the complexity router over a file of graded prompts.
import { rename, writeFile } from 'node:fs/promises';
import type { EngineConfig } from '../config.ts';
import { EngineError } from '../errors.ts';
import { DEFAULT_EMBEDDING_MODEL } from '../models/sources/catalogue.ts';
import { ModelStore } from '../models/store/model-store.ts';
import { evaluateRouter, type RouterReport } from '../routing/complexity/evaluate.ts';
import { readSurface } from '../routing/complexity/features.ts';
import { readGraded, type GradedRow } from '../routing/complexity/graded.ts';
import { readRouterModel, type Provenance } from '../routing/complexity/model.ts';
import { createComplexityScorer } from '../routing/complexity/predict.ts';
import { fitProjection, trainRouter, type Sample } from '../routing/complexity/train.ts';
import { validateRouter, type ValidationReport } from '../routing/complexity/validate.ts';
import { embedPrompts } from './embed-prompts.ts';
import { formatTable } from './list.ts';

export interface EvalFlags {
  readonly model: string | null;
  /** Null: with the encoder when it is installed. */
  readonly embed: boolean | null;
  readonly json: boolean;
}

/** Prints figures per benchmark. @throws EngineError `invalid_request`, `model_file_invalid`, `model_not_found` */
export async function evaluate(file: string, flags: EvalFlags, config: EngineConfig): Promise<void> {
  const rows = await readGraded(file);
  const model = readRouterModel(flags.model ?? undefined);
  const scorer = createComplexityScorer(model);
  const encoder = await encoderFor(scorer.encoder, flags.embed, config);
  const embeddings = encoder === null ? null : await embedRows(encoder, rows, config);
  const startedAtMs = performance.now();
  const reports = evaluateRouter(scorer, rows, embeddings);
  const scoreMs = (performance.now() - startedAtMs) / rows.length;
  const basis = encoder === null ? 'surface' : 'embedding';
  if (flags.json) return print(JSON.stringify({ file, rows: rows.length, basis, encoder, scoreMs, reports }, null, 2));
  print(`${rows.length} prompts; ${encoder === null ? 'surface features alone' : `surface features and embeddings by ${encoder}`}`);
  for (const line of formatTable([EVAL_COLUMNS, ...reports.flatMap(toEvalRows)])) print(line);
}

const EVAL_COLUMNS = ['BENCHMARK', 'BY', 'ROWS', 'APGR', 'CPT(50)', 'CPT(80)', 'STRONG AT 95%', 'SAVED THERE', 'QUALITY AT 40% SAVED'];

function toEvalRows({ benchmark, router, lengthAlone }: RouterReport): readonly (readonly string[])[] {
  return [
    { by: 'router', metrics: router },
    { by: 'length', metrics: lengthAlone },
  ].map(({ by, metrics }) => [
    benchmark,
    by,
    String(metrics.rows),
    figure(metrics.apgr),
    figure(metrics.cpt50),
    figure(metrics.cpt80),
    figure(metrics.strongShareAt95),
    figure(metrics.savingAt95),
    figure(metrics.qualityAtSaving40),
  ]);
}

export interface TrainFlags {
  readonly out: string;
  readonly embed: boolean;
  readonly seed: number;
  readonly seeds: number;
  readonly source: string;
  readonly licence: string;
  readonly json: boolean;
}

/** Validates on left-out subjects, trains on every row and writes the model file. @throws EngineError `invalid_request`, `model_not_found` */
export async function train(file: string, flags: TrainFlags, config: EngineConfig): Promise<void> {
  const rows = await readGraded(file);
  const encoder = flags.embed ? DEFAULT_EMBEDDING_MODEL : null;
  const embeddings = encoder === null ? null : await embedRows(encoder, rows, config);
  const samples = rows.map((row, index): Sample => ({ row, surface: readSurface(row.facts), embedding: embeddings?.[index] ?? null }));
  const projection = encoder === null ? null : fitProjection(samples, encoder);
  const seeds = Array.from({ length: flags.seeds }, (_, index) => flags.seed + index);
  const { reports, shrinkage } = validateRouter(samples, { seeds, projection });
  const provenance = provenanceOf(rows, flags, reports);
  const model = JSON.stringify(trainRouter(samples, { seed: flags.seed, projection, shrinkage, provenance }), null, 2);
  await replaceFile(flags.out, `${model}\n`);
  if (flags.json) return print(JSON.stringify({ out: flags.out, sizeBytes: model.length + 1, ...provenance }, null, 2));
  for (const line of formatTable([TRAIN_COLUMNS, ...reports.map(toTrainRow)])) print(line);
  print(`Wrote ${flags.out} (${(model.length / 1024).toFixed(0)} KiB).`);
}

const TRAIN_COLUMNS = ['BENCHMARK', 'BY', 'LEFT OUT', 'APGR', '±', 'CPT(50)', 'CPT(80)', 'STRONG AT 95%'];

function toTrainRow(report: ValidationReport): readonly string[] {
  const { benchmark, basis, leftOut, apgr, apgrDeviation, cpt50, cpt80, strongShareAt95 } = report;
  return [benchmark, basis, leftOut, ...[apgr, apgrDeviation, cpt50, cpt80, strongShareAt95].map(figure)];
}

function provenanceOf(rows: readonly GradedRow[], flags: TrainFlags, validation: readonly ValidationReport[]): Provenance {
  const subjects = new Set(rows.map(({ benchmark, subject }) => `${benchmark}\n${subject}`)).size;
  const date = new Date().toISOString().slice(0, 10);
  return { data: flags.source, licence: flags.licence, rows: rows.length, subjects, date, seed: flags.seed, validation };
}

/** @throws EngineError `model_not_found` when embeddings are asked for and cannot be had */
async function encoderFor(name: string | null, wanted: boolean | null, config: EngineConfig): Promise<string | null> {
  if (wanted === false || name === null) {
    if (wanted === true) throw new EngineError('model_not_found', 'This router was trained without embeddings.');
    return null;
  }
  const isInstalled = await new ModelStore(config.dataDir).has(name);
  if (wanted === true && !isInstalled) throw new EngineError('model_not_found', `${name} is not installed: millrace pull ${name}`);
  return isInstalled ? name : null;
}

function embedRows(encoder: string, rows: readonly GradedRow[], config: EngineConfig): Promise<readonly Float32Array[]> {
  const texts = rows.map(({ facts }) => facts.text);
  return embedPrompts(encoder, texts, config, (done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${texts.length} prompts embedded${done === texts.length ? '\n' : ''}`);
  });
}

/** A reader sees the old file or the whole new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}

function figure(value: number | null): string {
  return value === null ? '-' : value.toFixed(3);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
