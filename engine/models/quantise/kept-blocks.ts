// Owns blocks that were rounded before a graph is written, kept in a file meanwhile: codes, scales and zero points of one layer.
// Knows nothing about how they were rounded.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { bug } from '../../errors.ts';
import type { LinearWeights } from '../graph/linear.ts';
import type { Block, BlockLayout, BlockSource } from './blocks.ts';
import { blocksPerRow } from './blocks.ts';
import type { RoundedRow } from './gptq.ts';

/** One file a layer: each row is its codes, a byte each and whole blocks, then a float32 scale and a byte of zero point a block. */
export class KeptBlocks {
  readonly #path: string;
  readonly #layout: BlockLayout;
  readonly #perRow: number;
  readonly #middle: number;

  constructor(path: string, layout: BlockLayout, inFeatures: number) {
    this.#path = path;
    this.#layout = layout;
    this.#perRow = blocksPerRow(layout, inFeatures);
    this.#middle = 2 ** (layout.bits - 1);
  }

  get #codeBytes(): number {
    return this.#perRow * this.#layout.blockSize;
  }

  get #rowBytes(): number {
    return this.#codeBytes + this.#perRow * 5;
  }

  /** Writes all rows, in order. */
  write(rows: Iterable<RoundedRow>): void {
    const fd = openSync(this.#path, 'w');
    try {
      for (const row of rows) writeSync(fd, this.#pack(row));
    } finally {
      closeSync(fd);
    }
  }

  /** The blocks as a layer's form reads them; those of 4 bits have zero points of their own. */
  source(): BlockSource {
    const zeroPoints = this.#layout.bits === 4;
    const readRows: BlockSource['readRows'] = (_weights: LinearWeights, from, count) => {
      const bytes = this.#read(from, count);
      const view = new DataView(bytes.buffer);
      return (row, index, block) => this.#fill(block, { bytes, view, at: row * this.#rowBytes, index });
    };
    return { layout: this.#layout, zeroPoints, offsets: false, halfScales: true, readRows };
  }

  #pack({ codes, grids }: RoundedRow): Uint8Array {
    const bytes = new Uint8Array(this.#rowBytes);
    const view = new DataView(bytes.buffer);
    bytes.fill(this.#middle, codes.length, this.#codeBytes);
    bytes.set(codes);
    grids.forEach(({ scale, zeroPoint }, index) => {
      view.setFloat32(this.#codeBytes + index * 4, scale, true);
      bytes[this.#codeBytes + this.#perRow * 4 + index] = zeroPoint;
    });
    return bytes;
  }

  #read(from: number, count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count * this.#rowBytes);
    const fd = openSync(this.#path, 'r');
    try {
      const read = readSync(fd, bytes, 0, bytes.length, from * this.#rowBytes);
      if (read !== bytes.length) bug(`${this.#path} ends early.`);
    } finally {
      closeSync(fd);
    }
    return bytes;
  }

  #fill(block: Block, { bytes, view, at, index }: { bytes: Uint8Array; view: DataView; at: number; index: number }): void {
    const { blockSize } = this.#layout;
    const start = at + index * blockSize;
    block.codes.set(bytes.subarray(start, start + blockSize));
    block.scale = view.getFloat32(at + this.#codeBytes + index * 4, true);
    block.zeroPoint = bytes[at + this.#codeBytes + this.#perRow * 4 + index] ?? this.#middle;
    block.offset = 0;
  }
}
