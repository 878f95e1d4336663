// `millrace router replay` as a user runs it, on prompts whose difficulty is known.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReplayReport } from '../../../engine/routing/replay/report.ts';
import { millrace } from '../../served.ts';
import { gradedPrompts, toJsonLines } from '../complexity/graded-prompts.ts';

const PROMPTS = 240;
let folder = '';
let file = '';
let model = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-replay-'));
  [file, model] = [join(folder, 'graded.jsonl'), join(folder, 'router.json')];
  const training = join(folder, 'training.jsonl');
  await writeFile(file, toJsonLines(gradedPrompts(PROMPTS, 2)));
  await writeFile(training, toJsonLines(gradedPrompts(400, 1)));
  const { code, stderr } = await millrace(['router', 'train', training, '--out', model, '--seeds', '1', '--data-dir', folder]);
  expect(code, stderr).toBe(0);
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

async function replay(...flags: readonly string[]): Promise<ReplayReport> {
  const { code, stdout, stderr } = await millrace(['router', 'replay', file, '--model', model, '--json', ...flags]);
  expect(code, stderr).toBe(0);
  const { prompts, priceRatio, reports } = JSON.parse(stdout) as {
    readonly prompts: number;
    readonly priceRatio: number;
    readonly reports: readonly ReplayReport[];
  };
  expect({ prompts, priceRatio, benchmarks: reports.length }).toEqual({ prompts: PROMPTS, priceRatio: 20, benchmarks: 1 });
  const [report] = reports;
  if (report === undefined) throw new Error('There is no report.');
  return report;
}

it('saves where a weak model is enough, and keeps about what the bar asks for', { timeout: 120_000 }, async () => {
  const [usual, all, none] = [await replay(), await replay('--bar', '1'), await replay('--bar', '0')];
  // Half of the prompts are easy for both; by chance alone that saving would keep three quarters.
  expect(usual.saved).toBeGreaterThan(0.3);
  expect(usual.kept?.share).toBeGreaterThan(0.88);
  expect(all.saved).toBeLessThan(usual.saved);
  expect(all.kept?.share).toBeGreaterThan(usual.kept?.share ?? 1);
  expect(none).toMatchObject({ strongShare: 0, saved: 0.95 });
  expect(none.accuracy).toBe(none.weakAccuracy);
});

it('prints a table, and refuses what is no share and no file of prompts', { timeout: 60_000 }, async () => {
  const told = await millrace(['router', 'replay', file, '--model', model]);
  expect(told.stdout).toMatch(/BENCHMARK +PROMPTS .*COST SAVED\nmade +240/);
  expect((await millrace(['router', 'replay', file, '--bar', '1.5'])).code).toBe(2);
  const broken = join(folder, 'broken.jsonl');
  await writeFile(broken, '{"prompt": "x"}\n');
  const refused = await millrace(['router', 'replay', broken]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('broken.jsonl:1: weak must be');
});
