// Owns calibration of an encoder: it reads a text, and the largest magnitude of every projection's input channels is kept.
// Knows nothing about what the maxima are for.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { bug } from '../../errors.ts';
import { OrtSession, OrtTensor, RunBinding } from '../../ort/index.ts';
import { writeEncoderVariant } from '../convert/variant.ts';
import type { EncoderPlan } from '../graph/encoder/graph.ts';
import { float32Plan } from '../graph/float32.ts';
import type { Projection } from '../graph/linear.ts';
import type { EncoderSource } from '../readers/encoder/source.ts';
import { observed } from './calibrate.ts';

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
    using session = OrtSession.create(join(folder, graphFile), { threads });
    const maxima = new Map(Array.from(widths, ([name, width]) => [name, new Float32Array(width)]));
    for (const text of await calibrationTexts(source)) {
      signal?.throwIfAborted();
      await observe(session, text, maxima);
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
async function observe(session: OrtSession, tokens: readonly number[], maxima: ReadonlyMap<string, Float32Array>): Promise<void> {
  const all = textInputs(tokens);
  const inputs = Object.fromEntries(session.inputs.map(({ name }) => [name, all[name] ?? bug(`The graph has an input ${name}.`)]));
  const seen = new Map(Array.from(maxima, ([name, { length }]) => [name, new Float32Array(new ArrayBuffer(length * 4))]));
  const outputs = Object.fromEntries(Array.from(seen, ([name, values]) => [name, OrtTensor.over(values, [values.length])]));
  try {
    await new RunBinding(session, { inputs, outputs }).runAsync();
  } finally {
    for (const tensor of [...Object.values(all), ...Object.values(outputs)]) tensor.dispose();
  }
  for (const [name, values] of seen) maxima.get(name)?.forEach((value, at, kept) => (kept[at] = Math.max(value, values[at] ?? 0)));
}

/** The graph's inputs for one text alone, which needs no padding: every token is at its own place. */
function textInputs(tokens: readonly number[]): Readonly<Record<string, OrtTensor>> {
  const count = tokens.length;
  const int64 = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
  const places = Array.from(tokens, (_, place) => place);
  return {
    input_ids: OrtTensor.over(int64(tokens), [count]),
    positions: OrtTensor.over(int64(places), [count]),
    token_types: OrtTensor.over(new BigInt64Array(count), [count]),
    padded_rows: OrtTensor.over(int64(places), [1, count]),
    packed_places: OrtTensor.over(int64(places), [count]),
    seqlens_k: OrtTensor.over(Int32Array.of(count - 1), [1]),
    total_sequence_length: OrtTensor.over(Int32Array.of(count), []),
    pool_weights: OrtTensor.over(new Float32Array(count).fill(1 / count), [1, 1, count]),
  };
}
