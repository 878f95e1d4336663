// Owns calibration of an encoder: it reads a text, and the largest magnitude of every projection's input channels is kept.
// Knows nothing about what the maxima are for.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { bug } from '../../errors.ts';
import { OrtTensor } from '../../ort/index.ts';
import { writeEncoderVariant } from '../convert/variant.ts';
import type { EncoderPlan } from '../graph/encoder/graph.ts';
import { float32Plan } from '../graph/float32.ts';
import type { Projection } from '../graph/linear.ts';
import type { EncoderSource } from '../readers/encoder/source.ts';
import { observed } from './calibrate.ts';
import { EncoderRun } from './encoder-run.ts';

export interface EncoderCalibrationRequest {
  readonly source: EncoderSource;
  readonly threads: number;
  readonly signal?: AbortSignal;
}

/** Largest magnitude of each input channel of a layer's projection, over the calibration text. */
export type EncoderMaxima = (layer: number, projection: Projection) => Float32Array;

/** Maxima of every layer. Writes a graph to the system's temporary folder meanwhile. */
export async function calibrateEncoder({ source, threads, signal }: EncoderCalibrationRequest): Promise<EncoderMaxima> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-calibration-'));
  try {
    const widths = new Map<string, number>();
    const { graphFile } = await writeEncoderVariant({ source, plan: observedPlan(widths), name: 'observed', modelDir: folder });
    using run = new EncoderRun(join(folder, graphFile), source.config, threads);
    const maxima = new Map(Array.from(widths, ([name, width]) => [name, new Float32Array(width)]));
    for (const text of await calibrationTexts(source)) {
      signal?.throwIfAborted();
      await observe(run, text, maxima);
    }
    return (layer, projection) => maxima.get(outputName(layer, projection)) ?? bug(`Layer ${layer} was not calibrated.`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const outputName = (layer: number | null, projection: Projection): string => `maxima.${layer}.${projection}`;

function observedPlan(widths: Map<string, number>): EncoderPlan {
  return {
    ...float32Plan,
    format: (layer, projection) =>
      observed(float32Plan.format(layer, projection), { output: outputName(layer, projection), widths, axes: [0] }),
  };
}

/** The paragraphs of the product's own text, each as a text with its special tokens. */
async function calibrationTexts({ tokenizerJson, config }: EncoderSource): Promise<readonly (readonly number[])[]> {
  const text = await readFile(new URL('./calibration.txt', import.meta.url), 'utf8');
  const tokenizer = new Tokenizer(tokenizerJson, {});
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== '');
  return paragraphs.map((paragraph) => tokenizer.encode(paragraph).ids.slice(0, config.contextLength));
}

/** Runs one text, and raises `maxima` to what it shows. */
async function observe(run: EncoderRun, tokens: readonly number[], maxima: ReadonlyMap<string, Float32Array>): Promise<void> {
  const seen = new Map(Array.from(maxima, ([name, { length }]) => [name, new Float32Array(new ArrayBuffer(length * 4))]));
  const outputs = Object.fromEntries(Array.from(seen, ([name, values]) => [name, OrtTensor.over(values, [values.length])]));
  try {
    await run.run(tokens, outputs);
  } finally {
    for (const tensor of Object.values(outputs)) tensor.dispose();
  }
  for (const [name, values] of seen) maxima.get(name)?.forEach((value, at, kept) => (kept[at] = Math.max(value, values[at] ?? 0)));
}
