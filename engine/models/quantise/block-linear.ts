// Owns linear layers whose weights are blocks of 8-bit or 4-bit codes: MatMulNBits, which quantises activations within each block.
// Knows nothing about how codes come about.
import { type LinearFormat, type LinearWeights, addBias, productName } from '../graph/linear.ts';
import type { GraphBuilder } from '../graph/onnx.ts';
import { addBlockSums } from './block-sums.ts';
import { type BlockSource, type BlockTensors, addBlockTensors } from './blocks.ts';
import { roundedBlocks4, roundedBlocks4Asymmetric, roundedBlocks8 } from './rounded-blocks.ts';
import { storedBlocks } from './stored-blocks.ts';

/** Integer dot products. Level 0 would compute in float32, 8-bit weights 130 times slower. */
const ACCURACY_LEVEL = 4;

/** 8-bit blocks, symmetric. */
export const blocks8 = (blockSize: number): LinearFormat => blockLinear(`8-bit blocks of ${blockSize}`, roundedBlocks8(blockSize));

/** 4-bit blocks, symmetric, scales searched. */
export const blocks4 = (blockSize: number): LinearFormat => blockLinear(`4-bit blocks of ${blockSize}`, roundedBlocks4(blockSize));

/** 4-bit blocks with zero points. */
export const blocks4Asymmetric = (blockSize: number): LinearFormat =>
  blockLinear(`4-bit asymmetric blocks of ${blockSize}`, roundedBlocks4Asymmetric(blockSize));

/** The source's own blocks, mapped exactly; `fallback` for layers whose weights are not quantised or not all of one type. */
export function exactBlocks(fallback: LinearFormat): LinearFormat {
  return {
    name: 'exact blocks',
    bits: fallback.bits,
    emit(b, x, weights, out) {
      const source = storedBlocks(weights.sourceType);
      return source === null ? fallback.emit(b, x, weights, out) : emitBlocks(b, x, weights, { out, source });
    },
  };
}

/** A form whose blocks come from this source. */
export function blockLinear(name: string, source: BlockSource): LinearFormat {
  const { bits, blockSize } = source.layout;
  const emit: LinearFormat['emit'] = (b, x, weights, out) => emitBlocks(b, x, weights, { out, source });
  return { name, bits: bits + (32 + (source.zeroPoints ? bits : 0)) / blockSize, emit };
}

interface Emission {
  readonly out: string;
  readonly source: BlockSource;
}

function emitBlocks(b: GraphBuilder, x: string, weights: LinearWeights, { out, source }: Emission): string {
  const product = productName(weights, out);
  const tensors = addBlockTensors(b, weights, source, { prefix: `${weights.name}.linear`, codesBy: 'block' });
  const codesOnly = tensors.offsets === null ? product : `${out}.codes`;
  multiply(b, [x, tensors], codesOnly, { weights, source });
  if (tensors.offsets !== null) addOffsets(b, { x, weights, offsets: tensors.offsets, source, codesOnly, product });
  return addBias(b, product, weights, out);
}

interface Multiplied {
  readonly weights: LinearWeights;
  readonly source: BlockSource;
}

function multiply(b: GraphBuilder, [x, tensors]: readonly [string, BlockTensors], out: string, { weights, source }: Multiplied): void {
  const { bits, blockSize } = source.layout;
  b.node({
    op: 'MatMulNBits',
    inputs: [x, tensors.codes, tensors.scales, ...(tensors.zeroPoints === null ? [] : [tensors.zeroPoints])],
    outputs: [out],
    attributes: { K: weights.inFeatures, N: weights.outFeatures, bits, block_size: blockSize, accuracy_level: ACCURACY_LEVEL },
    domain: 'com.microsoft',
  });
}

interface Offsets {
  readonly x: string;
  readonly weights: LinearWeights;
  readonly offsets: string;
  readonly source: BlockSource;
  readonly codesOnly: string;
  readonly product: string;
}

/** Σ_blocks offset · Σ_block x: what a constant added to every weight of a block adds to the product. */
function addOffsets(b: GraphBuilder, { x, weights, offsets, source, codesOnly, product }: Offsets): void {
  const sums = addBlockSums(b, x, { width: weights.inFeatures, blockSize: source.layout.blockSize, out: `${product}.block_sums` });
  const correction = b.node({ op: 'MatMul', inputs: [sums, offsets], outputs: [`${product}.offsets`] });
  b.node({ op: 'Add', inputs: [codesOnly, correction], outputs: [product] });
}
