// 8-bit weights and activations: near the product, the same bits for a row whatever stands beside it, and zeros stay zeros.
import { expect, test } from 'vitest';
import { int8Linear } from '../../../engine/models/quantise/int8-linear.ts';
import { runLinear } from '../../../engine/models/quantise/linear-run.ts';
import { exactProduct, noise, plainWeights, relativeError } from './linear-graph.ts';

const shape = { outFeatures: 48, inFeatures: 192 };
const weights = plainWeights(noise(shape.outFeatures * shape.inFeatures), shape);
const rowOf = (values: Float32Array, row: number, width: number): Float32Array => values.slice(row * width, (row + 1) * width);

test('comes near the product', () => {
  const x = noise(6 * shape.inFeatures, 3);
  expect(relativeError(runLinear(int8Linear, weights, x), exactProduct(x, weights))).toBeLessThan(0.01);
});

test('a row alone gives the bits that it gives beside rows a thousand times larger', () => {
  const x = noise(4 * shape.inFeatures, 3).map((value, at) => value * 1000 ** (Math.floor(at / shape.inFeatures) % 2));
  const together = runLinear(int8Linear, weights, x);
  for (let row = 0; row < 4; row++) {
    const alone = runLinear(int8Linear, weights, rowOf(x, row, shape.inFeatures));
    expect(alone).toEqual(rowOf(together, row, shape.outFeatures));
  }
});

test('a row of zeros gives zeros', () => {
  const y = runLinear(int8Linear, weights, new Float32Array(shape.inFeatures));
  expect(y.every((value) => value === 0)).toBe(true);
});

test('the largest levels do not saturate', () => {
  const ones = new Float32Array(shape.outFeatures * shape.inFeatures).fill(1);
  const y = runLinear(int8Linear, plainWeights(ones, shape), new Float32Array(shape.inFeatures).fill(1));
  for (const value of y) expect(value).toBeCloseTo(shape.inFeatures, 3);
});

test('a bias is added', () => {
  const bias = noise(shape.outFeatures, 4);
  const x = noise(shape.inFeatures, 3);
  const plain = runLinear(int8Linear, weights, x);
  const biased = runLinear(int8Linear, { ...weights, bias }, x);
  biased.forEach((value, at) => expect(value).toBeCloseTo((plain[at] ?? 0) + (bias[at] ?? 0), 4));
});
