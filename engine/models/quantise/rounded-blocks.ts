// Owns rounding of real weights to blocks of 8-bit or 4-bit codes.
// Knows nothing about graphs or about sources that are quantised already.
import type { LinearWeights } from '../graph/linear.ts';
import { type Block, type BlockSource, middleOf } from './blocks.ts';

/** Rounds `values` to `block`; values beyond a row's end are missing, not zeros. */
type Rounding = (values: Float32Array, block: Block) => void;

/** Symmetric 8-bit codes: 256 levels over ± the block's largest weight. */
export const roundedBlocks8 = (blockSize: number): BlockSource => rounded({ bits: 8, blockSize }, false, roundToLargest);

/** Symmetric 4-bit codes, the scale searched for the least squared error. */
export const roundedBlocks4 = (blockSize: number): BlockSource => rounded({ bits: 4, blockSize }, false, searchSymmetric);

/** 4-bit codes with a zero point for each block, both searched. */
export const roundedBlocks4Asymmetric = (blockSize: number): BlockSource => rounded({ bits: 4, blockSize }, true, searchAsymmetric);

/** Symmetric 8-bit codes with float16 scales; a head and a table over the same weights share them. */
export const halfBlocks8 = (blockSize: number): BlockSource => ({
  ...rounded({ bits: 8, blockSize }, false, roundToHalf),
  sharedAs: `half8_${blockSize}`,
  halfScales: true,
});

function rounded(layout: BlockSource['layout'], zeroPoints: boolean, round: Rounding): BlockSource {
  return {
    layout,
    zeroPoints,
    offsets: false,
    readRows(weights: LinearWeights, from: number, count: number) {
      const width = weights.inFeatures;
      const rows = weights.readF32(from, count);
      return (row, index, block) => {
        const start = index * layout.blockSize;
        const end = Math.min(start + layout.blockSize, width);
        round(rows.subarray(row * width + start, row * width + end), block);
      };
    },
  };
}

function roundToLargest(values: Float32Array, block: Block): void {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  fit(values, { scale: Math.fround(largest / 127), zeroPoint: 128, maximum: 255 }, block);
}

function roundToHalf(values: Float32Array, block: Block): void {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  fit(values, { scale: Math.f16round(largest / 127), zeroPoint: 128, maximum: 255 }, block);
}

interface Grid {
  readonly scale: number;
  readonly zeroPoint: number;
  /** Largest code. */
  readonly maximum: number;
}

/** Rounds to the grid, and returns the sums that give the best scale for these codes by least squares, and the error. */
function fit(values: Float32Array, { scale, zeroPoint, maximum }: Grid, block: Block): { error: number; bestScale: number } {
  const inverse = scale === 0 ? 0 : 1 / scale;
  let dot = 0;
  let norm = 0;
  let error = 0;
  block.codes.fill(zeroPoint);
  for (let j = 0; j < values.length; j++) {
    const value = values[j] ?? 0;
    const code = Math.min(maximum, Math.max(0, Math.round(value * inverse) + zeroPoint));
    const level = code - zeroPoint;
    block.codes[j] = code;
    dot += level * value;
    norm += level * level;
    error += (value - scale * level) ** 2;
  }
  block.scale = scale;
  block.zeroPoint = zeroPoint;
  return { error, bestScale: norm === 0 ? scale : Math.fround(dot / norm) };
}

/** Leaves in `block` the grid of least error among the candidates, each refined once by least squares. */
function best(values: Float32Array, candidates: Iterable<Grid>, block: Block): void {
  let least = Infinity;
  let chosen: Grid | null = null;
  const consider = (grid: Grid): number => {
    const { error, bestScale } = fit(values, grid, block);
    if (error < least) [least, chosen] = [error, grid];
    return bestScale;
  };
  for (const grid of candidates) consider({ ...grid, scale: consider(grid) });
  fit(values, chosen ?? { scale: 0, zeroPoint: middleOf(4), maximum: 15 }, block);
}

/** Positions of the extreme weight, in codes from the zero point. The range is -8 to 7, so the extreme goes to the wider side. */
const EXTREMES = [-8, -7.6, -7.2, -8.5, -9];

function searchSymmetric(values: Float32Array, block: Block): void {
  let extreme = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  const at = extreme === 0 ? [] : EXTREMES;
  best(
    values,
    at.map((code) => ({ scale: Math.fround(extreme / code), zeroPoint: 8, maximum: 15 })),
    block,
  );
}

/** Shares of the full range that are tried: clipping the extremes a little often costs less than coarse steps. */
const RANGES = [1, 0.94, 0.88];

function searchAsymmetric(values: Float32Array, block: Block): void {
  let low = 0;
  let high = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  best(values, high > low ? asymmetricGrids(low, high) : [], block);
}

function* asymmetricGrids(low: number, high: number): Generator<Grid> {
  for (const share of RANGES) {
    const scale = Math.fround(((high - low) * share) / 15);
    const exact = -(low + ((high - low) * (1 - share)) / 2) / scale;
    for (const zeroPoint of new Set([Math.floor(exact), Math.ceil(exact)])) {
      yield { scale, zeroPoint: Math.min(15, Math.max(0, zeroPoint)), maximum: 15 };
    }
  }
}
