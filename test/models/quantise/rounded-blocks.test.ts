// Rounding of blocks, as laws: 8-bit errors within half a step, searched 4-bit scales never worse than the plain ones.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Block, BlockSource } from '../../../engine/models/quantise/blocks.ts';
import { roundedBlocks4, roundedBlocks4Asymmetric, roundedBlocks8 } from '../../../engine/models/quantise/rounded-blocks.ts';
import { plainWeights } from './linear-graph.ts';

const BLOCK = 32;
const blockOfWeights = fc.array(fc.float({ min: -100, max: 100, noNaN: true, noDefaultInfinity: true }), {
  minLength: BLOCK,
  maxLength: BLOCK,
});

function roundBlock(source: BlockSource, values: readonly number[]): { readonly block: Block; readonly error: number } {
  const weights = plainWeights(Float32Array.from(values), { outFeatures: 1, inFeatures: BLOCK });
  const block: Block = { codes: new Uint8Array(BLOCK), scale: 0, zeroPoint: 0, offset: 0 };
  source.readRows(weights, 0, 1)(0, 0, block);
  const error = values.reduce((sum, value, at) => sum + (value - block.scale * ((block.codes[at] ?? 0) - block.zeroPoint)) ** 2, 0);
  return { block, error };
}

test('8-bit codes err by half a step at most', () => {
  fc.assert(
    fc.property(blockOfWeights, (values) => {
      const { block } = roundBlock(roundedBlocks8(BLOCK), values);
      const worst = Math.max(...values.map((value, at) => Math.abs(value - block.scale * ((block.codes[at] ?? 0) - 128))));
      expect(worst).toBeLessThanOrEqual(block.scale * 0.5001 + 1e-30);
    }),
  );
});

test('a searched symmetric block is never worse than rounding to its extreme', () => {
  fc.assert(
    fc.property(blockOfWeights, (values) => {
      const extreme = values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
      const scale = Math.fround(extreme / -8);
      const level = (value: number): number => (scale === 0 ? 0 : Math.min(7, Math.max(-8, Math.round(value / scale))));
      const plain = values.reduce((sum, value) => sum + (value - scale * level(value)) ** 2, 0);
      const { block, error } = roundBlock(roundedBlocks4(BLOCK), values);
      expect(block.zeroPoint).toBe(8);
      expect(error).toBeLessThanOrEqual(plain * 1.0001 + 1e-9);
    }),
  );
});

test('asymmetric codes and zero points stay within four bits, and a block of zeros is exact', () => {
  fc.assert(
    fc.property(blockOfWeights, (values) => {
      const { block } = roundBlock(roundedBlocks4Asymmetric(BLOCK), values);
      expect(Math.max(...block.codes, block.zeroPoint)).toBeLessThanOrEqual(15);
      expect(Number.isFinite(block.scale)).toBe(true);
    }),
  );
  expect(roundBlock(roundedBlocks4Asymmetric(BLOCK), new Array<number>(BLOCK).fill(0)).error).toBe(0);
});
