// Tiny encoders of every family against transformers: vectors and logits, in FP32 and rounded, alone and in batches.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ENCODERS, FAMILIES, convertEncoder, cosine, loadReference, rowsOf } from './fixtures.ts';

const COSINE = 0.9999;
const LOGIT_TOLERANCE = 1e-3;

const folder = mkdtempSync(join(tmpdir(), 'millrace-encoders-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(FAMILIES)('%s', (family) => {
  test('gives the vectors of transformers in FP32', async () => {
    const { texts, rows } = loadReference(family);
    const { open } = await convertEncoder(join(ENCODERS, family), 'fp32', join(folder, family));
    const encoder = open();
    const ours = rowsOf(await encoder.run(texts), encoder.width);
    encoder.dispose();
    expect(ours.length).toBe(texts.length);
    ours.forEach((row, at) => {
      const reference = rows[at] ?? new Float32Array(0);
      expect(cosine(row, reference)).toBeGreaterThan(COSINE);
      row.forEach((value, place) => expect(Math.abs(value - (reference[place] ?? NaN))).toBeLessThan(LOGIT_TOLERANCE));
    });
  });

  test('gives the logits of transformers in FP32', async () => {
    const name = `${family}-classifier`;
    const { texts, rows } = loadReference(name);
    const { open } = await convertEncoder(join(ENCODERS, name), 'fp32', join(folder, name));
    const encoder = open();
    const ours = rowsOf(await encoder.run(texts), encoder.width);
    encoder.dispose();
    ours.forEach((row, at) =>
      row.forEach((value, label) => expect(Math.abs(value - (rows[at]?.[label] ?? NaN))).toBeLessThan(LOGIT_TOLERANCE)),
    );
  });

  // Random weights of width 32 round far worse than a trained model's; the point here is that every node is in its place.
  test.each([
    ['int8', 0.98],
    ['int4', 0.7],
  ] as const)('stays near them in %s', async (precision, least) => {
    const { texts, rows } = loadReference(family);
    const { open } = await convertEncoder(join(ENCODERS, family), precision, join(folder, family));
    const encoder = open();
    const ours = rowsOf(await encoder.run(texts), encoder.width);
    encoder.dispose();
    ours.forEach((row, at) => expect(cosine(row, rows[at] ?? new Float32Array(0))).toBeGreaterThan(least));
  });

  test.each(['fp32', 'int8'] as const)('gives a text the same vector alone and in a batch in %s', async (precision) => {
    const { texts } = loadReference(family);
    const { open } = await convertEncoder(join(ENCODERS, family), precision, join(folder, family));
    const encoder = open();
    const together = rowsOf(await encoder.run([...texts, ...texts.toReversed()]), encoder.width);
    for (const [at, text] of texts.entries()) {
      const alone = await encoder.run([text]);
      expect(together[at]).toEqual(alone);
      expect(together[2 * texts.length - 1 - at]).toEqual(alone);
    }
    encoder.dispose();
  });
});
