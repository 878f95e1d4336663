import fc from 'fast-check';
import { expect, test } from 'vitest';
import { halvesFromPairs, stackRows, wholeTensor } from '../../../engine/models/graph/stacked-weights.ts';
import { memoryTensor } from './random-model.ts';

const WIDTH = 3;
const numbered = (name: string, rows: number, start: number) =>
  memoryTensor(
    name,
    [rows, WIDTH],
    Float32Array.from({ length: rows * WIDTH }, (_, at) => start + at),
  );

test('any range of a stack is the same as that range of the whole', () => {
  const stack = stackRows(
    's',
    [wholeTensor(numbered('a', 4, 0)), wholeTensor(numbered('b', 1, 12)), wholeTensor(numbered('c', 6, 15))],
    null,
  );
  expect(stack.outFeatures).toBe(11);
  fc.assert(
    fc.property(fc.nat(10), fc.integer({ min: 1, max: 11 }), (from, wanted) => {
      const count = Math.min(wanted, 11 - from);
      const expected = Array.from({ length: count * WIDTH }, (_, at) => from * WIDTH + at);
      expect(Array.from(stack.readF32(from, count))).toEqual(expected);
      expect(Array.from(new Float32Array(stack.readRaw(from, count).buffer))).toEqual(expected);
    }),
  );
  expect(() => stack.readF32(10, 2)).toThrow('This is a bug.');
});

test('row order and factors apply across range borders, and forbid raw reads', () => {
  const part = {
    ...wholeTensor(numbered('a', 4, 0)),
    rowOrder: Int32Array.of(3, 1, 0, 2),
    rowFactors: Float32Array.of(1, 10, 100, 1000),
    columnFactors: Float32Array.of(1, 0, 1),
  };
  const stack = stackRows('s', [part], null);
  expect(Array.from(stack.readF32(0, 4))).toEqual([9, 0, 11, 30, 0, 50, 0, 0, 200, 6000, 0, 8000]);
  expect(Array.from(stack.readF32(2, 1))).toEqual([0, 0, 200]);
  expect(stack.sourceType).toBe(null);
  expect(() => stack.readRaw(0, 1)).toThrow('no common stored form');
});

test('rows in rotated pairs come back as halves', () => {
  // GGUF stores a head's rows 0 1 2 3 (halves 0 1 | 2 3) as the pairs 0 2 1 3.
  const paired = [0, 2, 1, 3, 4, 6, 5, 7];
  expect(Array.from(halvesFromPairs(2, 4), (row) => paired[row])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});
