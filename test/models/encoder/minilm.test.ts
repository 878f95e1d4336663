// The real all-MiniLM-L6-v2: tokens and vectors against transformers, and what INT8 does to vectors and to the ranking of neighbours.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Precision } from '../../../engine/models/manifest.ts';
import { readEncoderFolder } from '../../../engine/models/readers/encoder/read-folder.ts';
import type { EncoderText } from '../../../engine/runner/encoder/encoder-session.ts';
import type { OrtEncoder } from '../../../engine/runner/encoder/ort-encoder.ts';
import { TextEncoding } from '../../../engine/runner/encoder/text-encoding.ts';
import { testEncoder } from '../../models.ts';
import { ENCODERS, convertEncoder, cosine, rowsOf } from './fixtures.ts';

interface Recording {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly vector: readonly number[];
}

/** Documentation that comes with an installed package: English prose and code, in paragraphs. */
const DOCS = join(import.meta.dirname, '../../../node_modules/fastify/docs/Reference');
const NEIGHBOURS = 10;
const BATCH = 16;

const folder = mkdtempSync(join(tmpdir(), 'millrace-minilm-'));
const encoders = new Map<Precision, OrtEncoder>();
let encoding: TextEncoding;

beforeAll(async () => {
  const model = await testEncoder();
  for (const precision of ['fp32', 'int8', 'int4'] as const) {
    encoders.set(precision, (await convertEncoder(model, precision, folder)).open(2));
  }
  const { tokenizerJson, config, tensors } = readEncoderFolder(model);
  tensors.dispose();
  encoding = new TextEncoding({
    tokenizer: new Tokenizer(tokenizerJson, {}),
    maxTokens: config.contextLength,
    vocabSize: config.vocabSize,
  });
}, 120_000);
afterAll(() => {
  for (const encoder of encoders.values()) encoder.dispose();
  rmSync(folder, { recursive: true });
});

function encoder(precision: Precision): OrtEncoder {
  const found = encoders.get(precision);
  if (found === undefined) throw new Error(`${precision} was not converted.`);
  return found;
}

const tokenized = (text: string): EncoderText => encoding.encode({ kind: 'text', text }, { index: 0, truncate: true });

async function vectors(precision: Precision, texts: readonly EncoderText[]): Promise<readonly Float32Array[]> {
  const rows: Float32Array[] = [];
  for (let from = 0; from < texts.length; from += BATCH) {
    rows.push(...rowsOf(await encoder(precision).run(texts.slice(from, from + BATCH)), encoder(precision).width));
  }
  return rows;
}

function paragraphs(count: number): readonly EncoderText[] {
  const files = readdirSync(DOCS).filter((name) => name.endsWith('.md'));
  const all = files.flatMap((name) => readFileSync(join(DOCS, name), 'utf8').split(/\n\s*\n/));
  const real = all.map((text) => text.trim()).filter((text) => text.length > 40);
  expect(real.length).toBeGreaterThan(count);
  return real.slice(0, count).map(tokenized);
}

const recordings = JSON.parse(readFileSync(join(ENCODERS, 'minilm.json'), 'utf8')) as readonly Recording[];

test('splits hard texts as transformers does, and gives its vectors', async () => {
  const texts = recordings.map(({ text }) => tokenized(text));
  expect(texts.map(({ tokens }) => [...tokens])).toEqual(recordings.map(({ tokens }) => tokens));
  const ours = await vectors('fp32', texts);
  recordings.forEach(({ vector }, at) =>
    expect(cosine(ours[at] ?? new Float32Array(0), Float32Array.from(vector))).toBeGreaterThan(0.99999),
  );
});

/** The nearest others of each text. */
function neighbours(rows: readonly Float32Array[]): readonly ReadonlySet<number>[] {
  return rows.map((row, at) => {
    const others = rows.map((other, place) => ({ place, nearness: place === at ? -Infinity : cosine(row, other) }));
    return new Set(
      others
        .toSorted((a, b) => b.nearness - a.nearness)
        .slice(0, NEIGHBOURS)
        .map(({ place }) => place),
    );
  });
}

function recall(found: readonly ReadonlySet<number>[], exact: readonly ReadonlySet<number>[]): number {
  const shares = exact.map((wanted, at) => [...wanted].filter((place) => found[at]?.has(place)).length / wanted.size);
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

test('keeps vectors and their neighbours in INT8', async () => {
  const texts = paragraphs(200);
  const exact = await vectors('fp32', texts);
  const rounded = await vectors('int8', texts);
  const cosines = exact.map((row, at) => cosine(row, rounded[at] ?? new Float32Array(0)));
  const share = recall(neighbours(rounded), neighbours(exact));
  console.log(`INT8: cosine ${Math.min(...cosines).toFixed(4)} at worst, recall@${NEIGHBOURS} ${share.toFixed(3)}`);
  expect(Math.min(...cosines)).toBeGreaterThanOrEqual(0.995);
  expect(share).toBeGreaterThan(0.9);
}, 120_000);

test.each(['fp32', 'int8', 'int4'] as const)(
  'gives a text the same vector alone and in any batch in %s',
  async (precision) => {
    const texts = [...recordings.map(({ text }) => tokenized(text)), ...paragraphs(20)];
    const together = await vectors(precision, texts);
    const reversed = (await vectors(precision, texts.toReversed())).toReversed();
    for (const [at, text] of texts.entries()) {
      const alone = await encoder(precision).run([text]);
      expect(together[at]).toEqual(alone);
      expect(reversed[at]).toEqual(alone);
    }
  },
  120_000,
);
