// Exact maps give back the decoded weights of every stored type, by the native kernel; rounded forms stay within their precision.
import { expect, test } from 'vitest';
import { blocks4, blocks4Asymmetric, blocks8, exactBlocks } from '../../../engine/models/quantise/block-linear.ts';
import { BLOCKS, rowBytes, type SourceType } from '../../../engine/models/readers/tensors.ts';
import { runLinear } from '../../../engine/models/quantise/linear-run.ts';
import { exactProduct, noise, plainWeights, relativeError, storedWeights, unitRows } from './linear-graph.ts';

const shape = { outFeatures: 40, inFeatures: 256 };

/** Bytes at which the half-precision scales of a block lie. */
const SCALES: Readonly<Partial<Record<SourceType, readonly number[]>>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
  IQ4_NL: [0],
  IQ4_XS: [0],
};

/** Arbitrary blocks, whose scales are small numbers and not NaN or infinity. */
function randomBlocks(type: SourceType): Uint8Array {
  const random = noise(shape.outFeatures * rowBytes(type, shape.inFeatures), 7);
  const bytes = Uint8Array.from(random, (value) => Math.floor((value + 1) * 128));
  const halves = noise(bytes.length, 11);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < bytes.length; block += BLOCKS[type].bytes) {
    for (const at of SCALES[type] ?? []) view.setFloat16(block + at, 0.01 * (halves[block + at] ?? 0), true);
  }
  return bytes;
}

const fallback = {
  name: 'none',
  bits: 0,
  emit: () => {
    throw new Error('The fallback was used.');
  },
};

test.each(Object.keys(SCALES) as SourceType[])('%s blocks are mapped exactly', (type) => {
  const weights = storedWeights(type, randomBlocks(type), shape);
  const shown = runLinear(exactBlocks(fallback), weights, unitRows(shape.inFeatures));
  const expected = exactProduct(unitRows(shape.inFeatures), weights);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (shown[at] ?? NaN))), 0);
  expect(largest).toBeGreaterThan(0.01);
  expect(worst / largest).toBeLessThan(1e-6);
});

test('weights of no single stored type go to the fallback', () => {
  const weights = plainWeights(noise(shape.outFeatures * shape.inFeatures), shape);
  const x = noise(3 * shape.inFeatures, 5);
  expect(runLinear(exactBlocks(blocks8(32)), weights, x)).toEqual(runLinear(blocks8(32), weights, x));
});

const rounded = [
  [blocks8(32), 0.01],
  [blocks8(64), 0.01],
  [blocks4(32), 0.1],
  [blocks4Asymmetric(32), 0.1],
] as const;

test.each(rounded.map(([format, limit]) => [format.name, format, limit] as const))('%s come near the product', (_name, format, limit) => {
  const weights = plainWeights(noise(shape.outFeatures * shape.inFeatures), shape);
  const x = noise(5 * shape.inFeatures, 3);
  expect(relativeError(runLinear(format, weights, x), exactProduct(x, weights))).toBeLessThan(limit);
});

test('zero points pay where weights are on one side of zero', () => {
  const onOneSide = noise(shape.outFeatures * shape.inFeatures).map((value) => value + 1.2);
  const weights = plainWeights(onOneSide, shape);
  const x = noise(4 * shape.inFeatures, 3);
  const expected = exactProduct(x, weights);
  const asymmetric = relativeError(runLinear(blocks4Asymmetric(32), weights, x), expected);
  expect(asymmetric).toBeLessThan(relativeError(runLinear(blocks4(32), weights, x), expected));
});

test('a width that is no multiple of the block is padded', () => {
  const narrow = { outFeatures: 8, inFeatures: 80 };
  const weights = plainWeights(noise(narrow.outFeatures * narrow.inFeatures), narrow);
  const x = noise(2 * narrow.inFeatures, 9);
  expect(relativeError(runLinear(blocks8(32), weights, x), exactProduct(x, weights))).toBeLessThan(0.01);
});
