// `millrace router` as a user runs it, on a file whose difficulty is known.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RouterReport } from '../../../engine/routing/complexity/evaluate.ts';
import { readRouterModel } from '../../../engine/routing/complexity/model.ts';
import { convertedEncoder, ENCODER, millrace } from '../../served.ts';
import { gradedPrompts, toJsonLines } from './graded-prompts.ts';

let folder = '';
let file = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-router-'));
  file = join(folder, 'graded.jsonl');
  await writeFile(file, toJsonLines(gradedPrompts(320, 1)));
});
afterAll(() => rm(folder, { recursive: true }));

interface Evaluation {
  readonly rows: number;
  readonly basis: string;
  readonly encoder: string | null;
  readonly reports: readonly RouterReport[];
}

async function evaluate(...flags: readonly string[]): Promise<Evaluation> {
  const { code, stdout, stderr } = await millrace(['router', 'eval', file, '--json', ...flags]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Evaluation;
}

it('trains without a server or a model, and scores what it trained', { timeout: 120_000 }, async () => {
  const out = join(folder, 'surface.json');
  const trained = await millrace(['router', 'train', file, '--out', out, '--seeds', '1', '--data-dir', folder]);
  expect(trained.code, trained.stderr).toBe(0);
  expect(trained.stdout).toContain('subjects');
  expect(readRouterModel(out).provenance).toMatchObject({ data: 'graded traffic', rows: 320, subjects: 16, seed: 1 });
  const { rows, basis, encoder, reports } = await evaluate('--model', out, '--data-dir', folder);
  expect({ rows, basis, encoder }).toEqual({ rows: 320, basis: 'surface', encoder: null });
  expect(reports.map(({ benchmark }) => benchmark)).toEqual(['made']);
  expect(reports[0]?.router.apgr).toBeGreaterThan(0.65);
});

it('uses the installed encoder, and says so', { timeout: 600_000 }, async () => {
  const dataDir = await convertedEncoder();
  const out = join(folder, 'embedded.json');
  const trained = await millrace(['router', 'train', file, '--embed', '--out', out, '--seeds', '1', '--data-dir', dataDir]);
  expect(trained.code, trained.stderr).toBe(0);
  const found = await evaluate('--model', out, '--data-dir', dataDir);
  expect(found).toMatchObject({ basis: 'embedding', encoder: ENCODER });
  expect(found.reports[0]?.router.apgr).toBeGreaterThan(0.65);
  expect(await evaluate('--model', out, '--data-dir', dataDir, '--no-embed')).toMatchObject({ basis: 'surface', encoder: null });
});

it('refuses what it cannot do', { timeout: 60_000 }, async () => {
  const missing = await millrace(['router', 'eval', file, '--embed', '--data-dir', folder]);
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining(`millrace pull ${ENCODER}`) as string });
  const nowhere = await millrace(['router', 'eval', join(folder, 'nowhere.jsonl')]);
  expect(nowhere.code).toBe(1);
  const bad = await millrace(['router', 'train', file, '--seeds', '0']);
  expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('whole number') as string });
});
