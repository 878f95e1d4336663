// Owns the layout of MatMulNBits and GatherBlockQuantized: integer codes in blocks along a row, with a scale a block.
// Knows nothing about where the codes come from. Layout: ONNX Runtime's docs/ContribOperators.md, MatMulNBits.
import { type LinearWeights, rowSlabs } from '../graph/linear.ts';
import { DataType, type GraphBuilder } from '../graph/onnx.ts';

/** One block on its way into a tensor: weight j is `scale · (codes[j] − zeroPoint) + offset`. */
export interface Block {
  /** [blockSize], each within `bits`. */
  readonly codes: Uint8Array;
  scale: number;
  zeroPoint: number;
  offset: number;
}

export interface BlockLayout {
  readonly bits: 4 | 8;
  readonly blockSize: number;
}

/** How the blocks of a layer are made, a few rows at a time. */
export interface BlockSource {
  readonly layout: BlockLayout;
  /** Whether blocks have a zero point of their own; without, it is half of the codes' range, as the operators assume. */
  readonly zeroPoints: boolean;
  readonly offsets: boolean;
  /** Names the way the blocks are made, for layers and gathers over the same weights that then share them; absent: not shared. */
  readonly sharedAs?: string;
  /** Scales are float16 numbers, and are stored as such. */
  readonly halfScales?: boolean;
  /** Reads rows [from, from + count); the result fills `block` with block `index` of row `row` of them. */
  readRows(weights: LinearWeights, from: number, count: number): (row: number, index: number, block: Block) => void;
}

/** Names of the tensors that were added; null where the source has none. */
export interface BlockTensors {
  readonly codes: string;
  readonly scales: string;
  readonly zeroPoints: string | null;
  /** [blocks a row, rows]: transposed, ready to be multiplied by block sums. */
  readonly offsets: string | null;
}

export const blocksPerRow = (layout: BlockLayout, inFeatures: number): number => Math.ceil(inFeatures / layout.blockSize);

/** Zero point of symmetric codes. */
export const middleOf = (bits: 4 | 8): number => 2 ** (bits - 1);

/** Names under which the tensors are added, and the shape of the codes: `[rows, blocks, bytes]` for products, `[rows, bytes]` for gathers. */
export interface TensorNaming {
  readonly prefix: string;
  readonly codesBy: 'block' | 'row';
}

/** Adds codes, scales and what else the source has; rows are read in slabs. Blocks that a tied table has already are not stored again. */
export function addBlockTensors(b: GraphBuilder, weights: LinearWeights, source: BlockSource, naming: TensorNaming): BlockTensors {
  const { codesBy } = naming;
  const prefix = source.sharedAs === undefined ? naming.prefix : `${weights.name}.${source.sharedAs}`;
  const rows = weights.outFeatures;
  const { layout } = source;
  const perRow = blocksPerRow(layout, weights.inFeatures);
  const blockBytes = (layout.blockSize * layout.bits) / 8;
  const codeDims = codesBy === 'block' ? [rows, perRow, blockBytes] : [rows, perRow * blockBytes];
  const names = { codes: `${prefix}.codes.${codesBy}`, scales: `${prefix}.scales` };
  const other = `${prefix}.codes.${codesBy === 'block' ? 'row' : 'block'}`;
  if (b.has(other)) return { codes: b.alias(names.codes, codeDims, other), scales: names.scales, zeroPoints: null, offsets: null };
  const packer = new RowPacker(weights, source);
  const codes = b.stream({ name: names.codes, type: DataType.uint8, dims: codeDims }, packer.slabs());
  const scales = addScales(b, { name: names.scales, dims: [rows, perRow], half: source.halfScales === true }, packer.scales);
  const zeroPoints = source.zeroPoints
    ? b.initializer({ name: `${prefix}.zero_points`, type: DataType.uint8, dims: [rows, packer.zeroPointBytes] }, packer.zeroPoints)
    : null;
  const offsets = source.offsets
    ? b.initializer({ name: `${prefix}.offsets`, type: DataType.float32, dims: [perRow, rows] }, packer.offsets)
    : null;
  return { codes, scales, zeroPoints, offsets };
}

/** The kernels want float32; ONNX Runtime widens float16 once, when it loads. */
function addScales(
  b: GraphBuilder,
  { name, dims, half }: { readonly name: string; readonly dims: readonly number[]; readonly half: boolean },
  scales: Float32Array,
): string {
  if (!half) return b.initializer({ name, type: DataType.float32, dims }, scales);
  const stored = b.initializer({ name: `${name}.half`, type: DataType.float16, dims }, Float16Array.from(scales));
  return b.node({ op: 'Cast', inputs: [stored], outputs: [name], attributes: { to: DataType.float32 } });
}

/** Packs the rows of one layer; everything but the codes is kept until all rows are done. */
class RowPacker {
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
  readonly zeroPoints: Uint8Array;
  /** Zero-point bytes of one row: two 4-bit ones share a byte. */
  readonly zeroPointBytes: number;
  readonly #weights: LinearWeights;
  readonly #source: BlockSource;
  readonly #perRow: number;

  constructor(weights: LinearWeights, source: BlockSource) {
    this.#weights = weights;
    this.#source = source;
    this.#perRow = blocksPerRow(source.layout, weights.inFeatures);
    this.zeroPointBytes = Math.ceil((this.#perRow * source.layout.bits) / 8);
    const blocks = weights.outFeatures * this.#perRow;
    this.scales = new Float32Array(blocks);
    this.offsets = new Float32Array(source.offsets ? blocks : 0);
    this.zeroPoints = new Uint8Array(source.zeroPoints ? weights.outFeatures * this.zeroPointBytes : 0);
  }

  /** The codes, slab by slab. */
  *slabs(): Generator<Uint8Array> {
    const { bits, blockSize } = this.#source.layout;
    const blockBytes = (blockSize * bits) / 8;
    for (const { from, count } of rowSlabs(this.#weights)) {
      const slab = new Uint8Array(count * this.#perRow * blockBytes);
      this.#packRows(from, count, slab);
      yield slab;
    }
  }

  #packRows(from: number, count: number, slab: Uint8Array): void {
    const { bits, blockSize } = this.#source.layout;
    const blockBytes = (blockSize * bits) / 8;
    const fill = this.#source.readRows(this.#weights, from, count);
    const block: Block = { codes: new Uint8Array(blockSize), scale: 0, zeroPoint: middleOf(bits), offset: 0 };
    for (let row = 0; row < count; row++) {
      for (let index = 0; index < this.#perRow; index++) {
        fill(row, index, block);
        packCodes(block.codes, bits, slab, (row * this.#perRow + index) * blockBytes);
        this.#keep(from + row, index, block);
      }
    }
  }

  #keep(row: number, index: number, block: Block): void {
    this.scales[row * this.#perRow + index] = block.scale;
    if (this.#source.offsets) this.offsets[index * this.#weights.outFeatures + row] = block.offset;
    if (!this.#source.zeroPoints) return;
    const { bits } = this.#source.layout;
    const at = row * this.zeroPointBytes + (bits === 4 ? index >> 1 : index);
    const shift = bits === 4 ? (index & 1) * 4 : 0;
    this.zeroPoints[at] = (this.zeroPoints[at] ?? 0) | (block.zeroPoint << shift);
  }
}

/** Two 4-bit codes share a byte, the earlier one in its lower half. */
function packCodes(codes: Uint8Array, bits: 4 | 8, target: Uint8Array, at: number): void {
  if (bits === 8) {
    target.set(codes, at);
    return;
  }
  for (let j = 0; j < codes.length; j += 2) target[at + (j >> 1)] = (codes[j] ?? 0) | ((codes[j + 1] ?? 0) << 4);
}
