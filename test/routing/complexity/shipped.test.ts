import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGraded } from '../../../engine/routing/complexity/graded.ts';
import { readRouterModel, SHIPPED_MODEL } from '../../../engine/routing/complexity/model.ts';
import { createComplexityScorer } from '../../../engine/routing/complexity/predict.ts';

const scorer = createComplexityScorer(readRouterModel());
const complexityOf = (text: string): number => scorer.score({ text, turns: 0, tools: 0, schema: false }).value;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-router-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the shipped router', () => {
  it('is small and says where it comes from', async () => {
    expect((await stat(SHIPPED_MODEL)).size).toBeLessThan(200 * 1024);
    const { provenance } = readRouterModel();
    expect(provenance).toMatchObject({ licence: 'Apache-2.0', rows: 8303, subjects: 30 });
    const bases = provenance.validation.map(({ benchmark, basis }) => `${benchmark} ${basis}`);
    expect(bases).toEqual(expect.arrayContaining(['mmlu length', 'mmlu surface', 'mmlu embedding', 'gsm8k surface']));
  });

  it('was better on left-out subjects than length alone, and better still with embeddings', () => {
    const found = (benchmark: string, basis: string): number =>
      readRouterModel().provenance.validation.find((report) => report.benchmark === benchmark && report.basis === basis)?.apgr ?? 0;
    expect(found('mmlu', 'surface')).toBeGreaterThan(found('mmlu', 'length'));
    expect(found('mmlu', 'embedding')).toBeGreaterThan(found('mmlu', 'surface'));
    expect(found('gsm8k', 'surface')).toBeGreaterThan(found('gsm8k', 'length'));
  });

  it('puts a problem of many steps above one of a single step', () => {
    const steps =
      'Maria pays half as much as Ben, and Zoe three times as much as Maria, but she gets a quarter back. The boat costs $2,400.';
    expect(complexityOf(`${steps} How much more than Ben does Zoe pay?`)).toBeGreaterThan(
      complexityOf('Tom has 3 apples and buys 4. How many now?'),
    );
  });

  it('puts two judgements at once above one-word recall', () => {
    const both =
      'Statement 1 | Rates rise if demand falls. Statement 2 | Demand falls if rates rise.\nA. True, True\nB. True, False\nC. False, True\nD. False, False';
    expect(complexityOf(both)).toBeGreaterThan(complexityOf('Who painted it?\nA. Vermeer\nB. Monet\nC. Klimt\nD. Goya'));
  });

  it('stays within 0..1 for any text, and says why', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.nat(50), (text, turns) => {
        const { value, expectedGain, reasons } = scorer.score({ text, turns, tools: 0, schema: false });
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(Number.isFinite(expectedGain)).toBe(true);
        expect(reasons.length).toBeLessThanOrEqual(3);
      }),
    );
  });

  it.each(['{"format": 1}', '{"format": 2}', '[]', 'null', 'not JSON'])('refuses the model file %j', async (text) => {
    const path = join(folder, 'model.json');
    await writeFile(path, text);
    expect(() => readRouterModel(path)).toThrow(expect.objectContaining({ code: 'model_file_invalid' }));
  });
});

describe('readGraded', () => {
  it.each([
    ['{"weak": true, "strong": true}', ':2: prompt must be'],
    ['{"prompt": "x", "weak": 2, "strong": true}', ':2: weak must be'],
    ['{"prompt": "x", "weak": true, "strong": "yes"}', ':2: strong must be'],
    ['{"prompt": "x", "weak": true, "strong": true, "turns": -1}', ':2: turns must be'],
    ['[1]', ':2 is not a JSON object'],
    ['{', ':2 is not JSON'],
  ])('names the line of %s', async (line, message) => {
    const path = join(folder, 'graded.jsonl');
    await writeFile(path, `{"prompt": "x", "weak": 0.5, "strong": true}\n${line}\n`);
    await expect(readGraded(path)).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining(message) as string });
  });

  it('takes grades between, blank lines and the facts of a chat', async () => {
    const path = join(folder, 'good.jsonl');
    await writeFile(path, '{"prompt": "x", "weak": 0.5, "strong": true, "turns": 2, "tools": 1, "schema": true}\r\n\n');
    expect(await readGraded(path)).toEqual([
      { benchmark: 'traffic', subject: 'traffic', facts: { text: 'x', turns: 2, tools: 1, schema: true }, weak: 0.5, strong: 1 },
    ]);
  });

  it('refuses a file without prompts', async () => {
    const path = join(folder, 'empty.jsonl');
    await writeFile(path, '\n');
    await expect(readGraded(path)).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
