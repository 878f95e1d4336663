// The real model: INT8 and exact INT4 against its float32 graph, on two texts that the calibration text knows nothing of.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convertModel } from '../../../engine/models/convert/install.ts';
import { type EvaluatedGraph, type VariantEvaluation, evaluateVariant } from '../../../engine/models/quantise/evaluate.ts';
import { openModel } from '../../../engine/models/readers/open-model.ts';
import type { SourceModel } from '../../../engine/models/readers/source-model.ts';
import { testModel } from '../../models.ts';

const TOKENS = 1024;
/** Perplexity that INT8 may lose on each text. */
const INT8_LOSS = 0.007;
/** Over 400 tokens, where perplexity is noisier; over 1,024 it is 0.005 at most on the two texts of the bench. */
const SMALL_CACHE_LOSS = 0.015;

const topics =
  'from pydoc_data.topics import topics as t; print("\\n\\n".join(t[k] for k in ("objects", "naming", "exceptions", "execmodel")))';
const TEXTS = {
  'reference prose': () => execFileSync('python3', ['-c', topics], { encoding: 'utf8' }),
  'JavaScript source': () => readFileSync(createRequire(import.meta.url).resolve('fastify'), 'utf8'),
};

let folder: string;
let source: SourceModel;
const graphs = new Map<string, EvaluatedGraph>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-accuracy-'));
  source = openModel(await testModel());
  for (const precision of ['fp32', 'int8', 'int4'] as const) {
    for (const { name, graphFile, kvType } of await convertModel({ source, precision, outDir: folder })) {
      graphs.set(name, { path: join(folder, graphFile), kvType });
    }
  }
}, 300_000);

afterAll(() => {
  source.tensors.dispose();
  rmSync(folder, { recursive: true });
});

function graph(variant: string): EvaluatedGraph {
  return graphs.get(variant) ?? { path: '', kvType: 'f32' };
}

function evaluate(variant: string, text: keyof typeof TEXTS, count = TOKENS): Promise<VariantEvaluation> {
  const { ids } = new Tokenizer(source.tokenizer.tokenizerJson, {}).encode(TEXTS[text](), { add_special_tokens: false });
  return evaluateVariant({
    config: source.config,
    candidate: graph(variant),
    reference: graph('fp32'),
    tokens: Int32Array.from(ids).subarray(0, count),
    threads: availableParallelism(),
  });
}

const lossOf = ({ perplexity, referencePerplexity }: VariantEvaluation): number => perplexity / referencePerplexity - 1;

test.each(['reference prose', 'JavaScript source'] as const)('INT8 stays near float32 on %s', { timeout: 240_000 }, async (text) => {
  const evaluation = await evaluate('int8', text);
  expect(evaluation.positions).toBe(TOKENS);
  expect(evaluation.meanKl).toBeGreaterThan(0);
  expect(evaluation.meanKl).toBeLessThan(0.015);
  expect(evaluation.top1Agreement).toBeGreaterThan(0.92);
  expect(lossOf(evaluation)).toBeLessThan(INT8_LOSS);
});

test.each(['reference prose', 'JavaScript source'] as const)('an 8-bit KV cache costs little on %s', { timeout: 240_000 }, async (text) => {
  for (const precision of ['int8', 'int4']) {
    const [plain, small] = [await evaluate(precision, text, 400), await evaluate(`${precision}-kv8`, text, 400)];
    expect(small.meanKl).toBeGreaterThan(plain.meanKl);
    expect(small.meanKl).toBeLessThan(0.02);
    expect(lossOf(small)).toBeLessThan(SMALL_CACHE_LOSS);
  }
});

test('the exact map of Q4_1 costs nothing but the rounding of activations', { timeout: 240_000 }, async () => {
  const evaluation = await evaluate('int4', 'reference prose');
  expect(evaluation.meanKl).toBeLessThan(0.005);
  expect(Math.abs(lossOf(evaluation))).toBeLessThan(0.005);
});
