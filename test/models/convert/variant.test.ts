import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeVariant } from '../../../engine/models/convert/variant.ts';
import { float32Plan } from '../../../engine/models/graph/float32.ts';
import type { LayerSmoothing } from '../../../engine/models/graph/linear.ts';
import { GreedyDecoder } from '../graph/greedy.ts';
import { randomModel } from '../graph/random-model.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-variant-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a variant is a folder of two files, described by what is returned', async () => {
  const steps: number[] = [];
  const source = { ...randomModel(), parameterCount: 20_000 };
  const onProgress = ({ stepsDone }: { stepsDone: number }) => steps.push(stepsDone);
  const variant = await writeVariant({ source, plan: float32Plan, name: 'fp32', modelDir: folder, onProgress });
  expect(readdirSync(folder)).toEqual(['fp32']);
  const size = (path: string): number => statSync(join(folder, path)).size;
  expect(variant.sizeBytes).toBe(size(variant.graphFile) + size(variant.weightsFile));
  expect(variant.bitsPerWeight).toBeCloseTo((size(variant.weightsFile) * 8) / 20_000);
  expect(steps).toEqual([1, 2, 3, 4]);
});

test('writing it again replaces it', async () => {
  const source = randomModel();
  await writeVariant({ source, plan: float32Plan, name: 'fp32', modelDir: folder });
  await writeVariant({ source, plan: float32Plan, name: 'fp32', modelDir: folder });
  expect(readdirSync(folder)).toEqual(['fp32']);
});

test('stopping in the middle leaves nothing and keeps the older variant', async () => {
  const source = randomModel();
  await writeVariant({ source, plan: float32Plan, name: 'fp32', modelDir: folder });
  const controller = new AbortController();
  const request = {
    source,
    plan: float32Plan,
    name: 'fp32',
    modelDir: folder,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  };
  await expect(writeVariant(request)).rejects.toThrow('aborted');
  expect(readdirSync(folder)).toEqual(['fp32']);
  expect(existsSync(join(folder, 'fp32/graph.onnx'))).toBe(true);
});

test.each([
  [
    'a missing tensor',
    (tensors: Map<string, unknown>) => tensors.delete('model.layers.1.mlp.up_proj.weight'),
    /no tensor model\.layers\.1\.mlp\.up_proj/,
  ],
  [
    'a tensor of another shape',
    (tensors: Map<string, unknown>) => tensors.set('model.norm.weight', tensors.get('lm_head.weight')),
    /model\.norm\.weight has shape \[96, 32\]; the config says \[32\]/,
  ],
])('%s is refused by name, and nothing is left', async (_, damage, message) => {
  const source = randomModel();
  damage(source.tensors.tensors as Map<string, unknown>);
  const written = writeVariant({ source, plan: float32Plan, name: 'fp32', modelDir: folder });
  await expect(written).rejects.toMatchObject({ code: 'model_file_invalid', message: expect.stringMatching(message) });
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  { headDim: 24, rope: { theta: 1e4, dim: 16, scaling: null, localTheta: null } },
  { rope: { theta: 1e4, dim: 8, scaling: null, localTheta: null } },
  { vocabSize: 63 },
])('a shape that the operators cannot compute is refused: %o', async (overrides) => {
  const written = writeVariant({ source: randomModel(overrides), plan: float32Plan, name: 'fp32', modelDir: folder });
  await expect(written).rejects.toMatchObject({ code: 'unsupported_model' });
});

test('no read asks for more than a slab, however large the tensor', async () => {
  const source = randomModel({ vocabSize: 40_000, hiddenSize: 128, intermediateSize: 32 });
  let largest = 0;
  for (const [name, tensor] of source.tensors.tensors) {
    const readF32 = (from: number, count: number): Float32Array => {
      const rows = tensor.readF32(from, count);
      largest = Math.max(largest, rows.byteLength);
      return rows;
    };
    source.tensors.tensors.set(name, { ...tensor, readF32 });
  }
  await writeVariant({ source, plan: float32Plan, name: 'fp32', modelDir: folder });
  expect(largest).toBeLessThanOrEqual(1 << 24);
  expect(largest).toBeGreaterThan(1 << 23);
});

test('smoothing factors change the weights and not the answer', async () => {
  const source = randomModel();
  const { hiddenSize, kvHeadCount, headDim, intermediateSize } = source.config;
  const factors = (length: number): Float32Array => Float32Array.from({ length }, (_, at) => 0.5 + ((at * 7) % 11) / 4);
  const smoothing: LayerSmoothing = {
    qkv: factors(hiddenSize),
    attnOut: factors(kvHeadCount * headDim),
    gateUp: factors(hiddenSize),
    down: factors(intermediateSize),
  };
  await writeVariant({ source, plan: float32Plan, name: 'plain', modelDir: folder });
  await writeVariant({ source, plan: { ...float32Plan, smoothing: () => smoothing }, name: 'smoothed', modelDir: folder });
  const logits = ['plain', 'smoothed'].map((name) => {
    using decoder = new GreedyDecoder(join(folder, name, 'graph.onnx'), source.config, 16);
    return decoder.feed([5, 6, 7, 8, 9], 5).logits;
  });
  const [plain, smoothed] = logits;
  plain?.forEach((value, at) => expect(smoothed?.[at]).toBeCloseTo(value, 4));
});
