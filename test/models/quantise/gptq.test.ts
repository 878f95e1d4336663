// GPTQ against what it promises: less error in the product than plain rounding where inputs go together, none more where they do not.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inverseFactor, roundRow, type BlockGrid } from '../../../engine/models/quantise/gptq.ts';

const BLOCK = 8;

function grid(values: Float32Array): BlockGrid {
  const largest = Math.max(...values.map(Math.abs));
  return { scale: largest / 7, zeroPoint: 8, maximum: 15 };
}

/** A repeatable source of numbers in [-1, 1). */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Σ xᵀx of rows whose neighbouring channels go together as much as `shared` says. */
function momentsOf(width: number, shared: number, next: () => number): Float64Array {
  const moments = new Float64Array(width * width);
  for (let row = 0; row < width * 4; row++) {
    const common = next();
    const x = Array.from({ length: width }, () => shared * common + (1 - shared) * next());
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++) moments[i * width + j] = (moments[i * width + j] ?? 0) + (x[i] ?? 0) * (x[j] ?? 0);
  }
  return moments;
}

/** (w − ŵ)ᵀ H (w − ŵ): the squared error of the product over the text that H was made of. */
function productError(row: Float32Array, rounded: Float32Array, moments: Float64Array): number {
  const width = row.length;
  let sum = 0;
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++)
      sum += ((row[i] ?? 0) - (rounded[i] ?? 0)) * (moments[i * width + j] ?? 0) * ((row[j] ?? 0) - (rounded[j] ?? 0));
  return sum;
}

function roundedBy(row: Float32Array, moments: Float64Array): Float32Array {
  const factor = inverseFactor(moments.slice(), row.length);
  const { codes, grids } = roundRow(row.slice(), { blockSize: BLOCK, factors: [factor], grid });
  return Float32Array.from(codes, (code, at) => {
    const { scale, zeroPoint } = grids[Math.floor(at / BLOCK)] ?? { scale: NaN, zeroPoint: NaN };
    return scale * (code - zeroPoint);
  });
}

const identity = (width: number): Float64Array =>
  Float64Array.from({ length: width * width }, (_, at) => (Math.floor(at / width) === at % width ? 1 : 0));

test('the factor is that of the inverse', () => {
  const width = 24;
  const moments = momentsOf(width, 0.5, noise(3));
  const { upper } = inverseFactor(moments.slice(), width, 0);
  let worst = 0;
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) {
      let product = 0;
      for (let k = 0; k < width; k++)
        for (let m = 0; m < width; m++)
          product += (upper[m * width + i] ?? 0) * (upper[m * width + k] ?? 0) * (moments[k * width + j] ?? 0);
      worst = Math.max(worst, Math.abs(product - (i === j ? 1 : 0)));
    }
  }
  expect(worst).toBeLessThan(1e-4);
});

test('inputs that have nothing to do with each other are rounded plainly', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const next = noise(seed);
      const row = Float32Array.from({ length: 32 }, next);
      const plain = Float32Array.from(row, (value, at) => {
        const start = at - (at % BLOCK);
        const { scale } = grid(row.subarray(start, start + BLOCK));
        return Math.min(7, Math.max(-8, Math.round(value / scale))) * scale + 0;
      });
      expect(roundedBy(row, identity(32))).toEqual(plain);
    }),
    { numRuns: 50 },
  );
});

test('where inputs go together the product of many rows keeps more of itself', () => {
  const next = noise(11);
  const width = 64;
  const moments = momentsOf(width, 0.7, next);
  let [compensated, plain] = [0, 0];
  for (let at = 0; at < 40; at++) {
    const row = Float32Array.from({ length: width }, next);
    compensated += productError(row, roundedBy(row, moments), moments);
    plain += productError(row, roundedBy(row, identity(width)), moments);
  }
  expect(compensated).toBeLessThan(plain * 0.5);
});
