// Every family at every precision: a quantised variant's logits stay close to those of transformers in float32.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { convertModel } from '../../../engine/models/convert/install.ts';
import type { Precision } from '../../../engine/models/manifest.ts';
import { openModel } from '../../../engine/models/readers/open-model.ts';
import { GreedyDecoder } from '../graph/greedy.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/families');
const FAMILIES = ['llama', 'mistral', 'qwen2', 'qwen3', 'smollm3', 'gemma3'];
/** Share of the logits' spread that rounding may cost, root mean square. Random weights are harder to round than trained ones. */
const LIMITS: Readonly<Record<string, number>> = { int8: 0.1, int4: 0.5 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-precision-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const rootMeanSquare = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);

const cases = FAMILIES.flatMap((family) => (['int8', 'int4'] satisfies Precision[]).map((precision) => [family, precision] as const));

test.each(cases)('%s in %s', async (family, precision) => {
  const source = openModel(join(FIXTURES, family));
  const [variant] = await convertModel({ source, precision, outDir: folder });
  source.tensors.dispose();
  const bytes = readFileSync(join(FIXTURES, family, 'logits.f32'));
  const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const { prompt } = JSON.parse(readFileSync(join(FIXTURES, family, 'reference.json'), 'utf8')) as { readonly prompt: readonly number[] };
  using decoder = new GreedyDecoder(join(folder, variant.graphFile), source.config, 64);
  const { logits } = decoder.feed(prompt, prompt.length);
  const error = rootMeanSquare(logits.map((value, at) => value - (expected[at] ?? NaN))) / rootMeanSquare(expected);
  expect(error).toBeGreaterThan(0);
  expect(error, `${error}`).toBeLessThan(LIMITS[precision] ?? 0);
});
