// Evaluation on a tiny model: against itself nothing is lost, and perplexity is what its logits say.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { convertModel } from '../../../engine/models/convert/install.ts';
import { evaluateVariant } from '../../../engine/models/quantise/evaluate.ts';
import { PromptRun } from '../../../engine/models/quantise/prompt-run.ts';
import { openModel } from '../../../engine/models/readers/open-model.ts';

const MODEL = join(import.meta.dirname, '../../fixtures/families/llama');
const tokens = Int32Array.from({ length: 40 }, (_, at) => (at * 7) % 90);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-evaluate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function convert(precision: 'fp32' | 'int4'): Promise<string> {
  const source = openModel(MODEL);
  const [{ graphFile }] = await convertModel({ source, precision, outDir: folder });
  source.tensors.dispose();
  return join(folder, graphFile);
}

const graph = (path: string) => ({ path, kvType: 'f32' as const });
const configOf = () => openModel(MODEL).config;

test('a graph against itself diverges nowhere, and its perplexity follows from its logits', async () => {
  const path = await convert('fp32');
  const config = configOf();
  const evaluation = await evaluateVariant({ config, candidate: graph(path), reference: graph(path), tokens, threads: 1 });
  expect(evaluation).toMatchObject({ top1Agreement: 1, meanKl: 0, positions: tokens.length });
  expect(evaluation.perplexity).toBe(evaluation.referencePerplexity);
  using run = new PromptRun({ graphPath: path, config, capacity: tokens.length, threads: 1 });
  const logits = await run.append(tokens);
  let loss = 0;
  for (let at = 0; at + 1 < tokens.length; at++) {
    const row = Array.from(logits.subarray(at * config.vocabSize, (at + 1) * config.vocabSize));
    loss += Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - (row[tokens[at + 1] ?? 0] ?? NaN);
  }
  expect(evaluation.perplexity).toBeCloseTo(Math.exp(loss / (tokens.length - 1)), 3);
});

test('a rounded variant diverges', async () => {
  const [reference, candidate] = [await convert('fp32'), await convert('int4')];
  const evaluation = await evaluateVariant({
    config: configOf(),
    candidate: graph(candidate),
    reference: graph(reference),
    tokens,
    threads: 1,
  });
  expect(evaluation.meanKl).toBeGreaterThan(1e-6);
  expect(evaluation.perplexity).not.toBe(evaluation.referencePerplexity);
});

test('an evaluation that is called off stops', async () => {
  const path = await convert('fp32');
  const request = { config: configOf(), candidate: graph(path), reference: graph(path), tokens, threads: 1, signal: AbortSignal.abort() };
  await expect(evaluateVariant(request)).rejects.toThrow();
});
