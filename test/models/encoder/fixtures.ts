// The tiny encoders under test/fixtures/encoders, and what transformers gave for a few texts: see make.py there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeEncoderVariant } from '../../../engine/models/convert/variant.ts';
import type { EncoderConfig, Precision } from '../../../engine/models/manifest.ts';
import { encoderPlan } from '../../../engine/models/quantise/encoder-plans.ts';
import { readEncoderFolder } from '../../../engine/models/readers/encoder/read-folder.ts';
import type { EncoderText } from '../../../engine/runner/encoder/encoder-session.ts';
import { OrtEncoder } from '../../../engine/runner/encoder/ort-encoder.ts';

export const ENCODERS = join(import.meta.dirname, '../../fixtures/encoders');

export const FAMILIES = ['bert', 'roberta', 'xlm-roberta', 'mpnet', 'distilbert', 'nomic_bert', 'modernbert'] as const;

export interface Reference {
  readonly texts: readonly EncoderText[];
  /** One row a text. */
  readonly rows: readonly Float32Array[];
}

export function loadReference(name: string): Reference {
  const stated = JSON.parse(readFileSync(join(ENCODERS, name, 'reference.json'), 'utf8')) as {
    readonly texts: readonly (readonly number[])[];
    readonly secondStarts?: readonly number[];
    readonly width: number;
  };
  const bytes = readFileSync(join(ENCODERS, name, 'rows.f32'));
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const texts = stated.texts.map((tokens, at) => ({
    tokens: Int32Array.from(tokens),
    secondStart: stated.secondStarts?.[at] ?? tokens.length,
  }));
  return { texts, rows: rowsOf(values, stated.width) };
}

export function rowsOf(values: Float32Array, width: number): readonly Float32Array[] {
  return Array.from({ length: values.length / width }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

/** Writes one variant of a folder's model into `modelDir`; returns how to run it. */
export async function convertEncoder(
  folder: string,
  precision: Precision,
  modelDir: string,
): Promise<{ readonly config: EncoderConfig; readonly open: (threads?: number) => OrtEncoder }> {
  const source = readEncoderFolder(folder);
  try {
    const plan = await encoderPlan({ source, precision, threads: 1 });
    const { graphFile } = await writeEncoderVariant({ source, plan, name: precision, modelDir });
    const { config } = source;
    return { config, open: (threads = 1) => new OrtEncoder({ graphFile: join(modelDir, graphFile), config, threads }) };
  } finally {
    source.tensors.dispose();
  }
}

export function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, at) => sum + value * (y[at] ?? NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
