// Tiny models of every family against transformers: logits of a whole prompt and a greedy answer, by several ways to feed it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeVariant } from '../../../engine/models/convert/variant.ts';
import { float32Plan } from '../../../engine/models/graph/float32.ts';
import type { DecoderConfig } from '../../../engine/models/manifest.ts';
import { openModel } from '../../../engine/models/readers/open-model.ts';
import { GreedyDecoder } from './greedy.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/families');
const TOLERANCE = 1e-3;

/** Folder of the reference, and the file or folder that is read. */
const CASES = [
  ['llama', 'llama'],
  ['llama', 'llama.gguf'],
  ['mistral', 'mistral'],
  ['qwen2', 'qwen2'],
  ['qwen2', 'qwen2.gguf'],
  ['qwen3', 'qwen3'],
  ['qwen3', 'qwen3.gguf'],
  ['smollm3', 'smollm3'],
  ['smollm3', 'smollm3.gguf'],
  ['gemma3', 'gemma3'],
  ['gemma3-plain', 'gemma3-plain.gguf'],
] as const;

interface Reference {
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
  /** [prompt, vocab] */
  readonly logits: Float32Array;
}

function loadReference(family: string): Reference {
  const bytes = readFileSync(join(FIXTURES, family, 'logits.f32'));
  const { prompt, answer } = JSON.parse(readFileSync(join(FIXTURES, family, 'reference.json'), 'utf8')) as Reference;
  return { prompt, answer, logits: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)) };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, at) => Math.max(largest, Math.abs(value - (b[at] ?? NaN))), 0);
}

describe.each(CASES)('%s read from %s', (family, path) => {
  const reference = loadReference(family);
  const { prompt, answer } = reference;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-family-'));
  let config: DecoderConfig;

  beforeAll(async () => {
    const source = openModel(join(FIXTURES, path));
    ({ config } = source);
    await writeVariant({ source, plan: float32Plan, name: 'fp32', modelDir: folder });
    source.tensors.dispose();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const decoder = (): GreedyDecoder => new GreedyDecoder(join(folder, 'fp32/graph.onnx'), config, 96);

  test('one prefill gives the logits of every position', () => {
    using sequence = decoder();
    expect(largestDifference(sequence.feed(prompt, prompt.length).logits, reference.logits)).toBeLessThan(TOLERANCE);
  });

  test('one prefill and decode steps give the greedy answer', () => {
    using sequence = decoder();
    expect(sequence.greedy(sequence.feed(prompt), answer.length)).toEqual(answer);
  });

  test('chunks of a prompt, then decode steps, give the same logits and answer', () => {
    using sequence = decoder();
    const chunks = [prompt.slice(0, 13), prompt.slice(13, 14), prompt.slice(14, 31), prompt.slice(31)];
    const results = chunks.map((chunk) => sequence.feed(chunk, chunk.length));
    const logits = Float32Array.from(results.flatMap((result) => [...result.logits]));
    expect(largestDifference(logits, reference.logits)).toBeLessThan(TOLERANCE);
    const last = results.at(-1);
    expect(last && sequence.greedy(last, answer.length)).toEqual(answer);
  });

  test('the scan over the logits agrees with them', () => {
    using sequence = decoder();
    const temperature = 0.7;
    const { logits, topValues, topIndices, logSumExp } = sequence.feed(prompt, 2, temperature);
    for (const row of [0, 1]) {
      const values = logits.slice(row * config.vocabSize, (row + 1) * config.vocabSize);
      const sorted = values.toSorted().toReversed().slice(0, 64);
      expect(topValues.slice(row * 64, row * 64 + 64)).toEqual(sorted);
      expect(Array.from(topIndices.slice(row * 64, row * 64 + 64), (token) => values[Number(token)])).toEqual([...sorted]);
      const sum = values.reduce((total, value) => total + Math.exp(value / temperature), 0);
      expect(logSumExp[row]).toBeCloseTo(Math.log(sum), 4);
    }
  });
});
