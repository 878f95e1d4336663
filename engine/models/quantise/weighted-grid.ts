// Owns the choice of a block's grid: the scale and zero point with the least error, each weight's error counted by how much its input
// varies. Pure; knows nothing about what becomes of the error.
import type { BlockGrid } from './gptq.ts';

/** Shares of the full range that are tried: clipping the extremes a little often costs less than coarse steps. */
const RANGES = [1, 0.965, 0.93, 0.895, 0.86, 0.825, 0.79, 0.755, 0.72, 0.685, 0.65];
const LARGEST_CODE = 15;

/** 4 bits with a zero point of its own, both searched. `importance`: Σ x² of each weight's input. Scales are float16 numbers. */
export function grid4(values: Float32Array, importance: Float32Array): BlockGrid {
  let low = 0;
  let high = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  let chosen: BlockGrid = { scale: 0, zeroPoint: 8, maximum: LARGEST_CODE };
  let least = Infinity;
  const consider = (scale: number, zeroPoint: number): number => {
    const grid = { scale: Math.f16round(scale), zeroPoint, maximum: LARGEST_CODE };
    const { error, bestScale } = errorOf(values, importance, grid);
    if (error < least) [least, chosen] = [error, grid];
    return bestScale;
  };
  for (const { scale, zeroPoint } of candidates(low, high)) consider(consider(scale, zeroPoint), zeroPoint);
  return chosen;
}

/** 8 bits around zero: finer steps need no search. */
export function grid8(values: Float32Array): BlockGrid {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return { scale: Math.f16round(largest / 127), zeroPoint: 128, maximum: 255 };
}

function* candidates(low: number, high: number): Generator<{ readonly scale: number; readonly zeroPoint: number }> {
  if (!(high > low)) return;
  for (const share of RANGES) {
    const scale = ((high - low) * share) / LARGEST_CODE;
    const exact = -(low + ((high - low) * (1 - share)) / 2) / scale;
    for (const zeroPoint of [Math.floor(exact), Math.ceil(exact)]) {
      yield { scale, zeroPoint: Math.min(LARGEST_CODE, Math.max(0, zeroPoint)) };
    }
  }
}

/** The weighted squared error of plain rounding to a grid, and the scale that least squares gives for the same codes. */
function errorOf(values: Float32Array, importance: Float32Array, { scale, zeroPoint, maximum }: BlockGrid): Fit {
  const inverse = scale === 0 ? 0 : 1 / scale;
  let [error, dot, norm] = [0, 0, 0];
  for (let j = 0; j < values.length; j++) {
    const value = values[j] ?? 0;
    const weight = importance[j] ?? 0;
    const level = Math.min(maximum, Math.max(0, Math.round(value * inverse) + zeroPoint)) - zeroPoint;
    error += weight * (value - scale * level) ** 2;
    dot += weight * level * value;
    norm += weight * level * level;
  }
  return { error, bestScale: norm === 0 ? scale : dot / norm };
}

interface Fit {
  readonly error: number;
  readonly bestScale: number;
}
