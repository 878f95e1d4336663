// Owns the exact map from ggml's quantised blocks to blocks of codes: the same integers under the same scales, nothing rounded.
// Knows nothing about graphs. Block headers: github.com/ggml-org/ggml/blob/master/src/ggml-common.h
// NOTE: every type is `scale · level + offset` within a group of 16 or 32 weights, so the level follows from the decoded weight.
import type { LinearWeights } from '../graph/linear.ts';
import { byteAt, halfAt, signedAt } from '../readers/decode/plain.ts';
import { BLOCKS, type SourceType, rowBytes } from '../readers/tensors.ts';
import { type BlockLayout, type BlockSource, middleOf } from './blocks.ts';

interface Group {
  scale: number;
  offset: number;
}

interface StoredType {
  readonly layout: BlockLayout;
  /** The symmetric code that stands for level 0; levels that are never negative start at the bottom of the codes' range. */
  readonly zeroLevel: number;
  /** Whether groups have offsets. */
  readonly offsets: boolean;
  /** Scale and offset of group `index` of the source block at byte `at`. */
  readonly header: (bytes: Uint8Array, at: number, index: number, group: Group) => void;
}

const symmetric4 = { zeroLevel: 8, offsets: false } as const;
const symmetric8 = { zeroLevel: 128, offsets: false } as const;

const scaleOnly: StoredType['header'] = (bytes, at, _index, group) => {
  group.scale = halfAt(bytes, at);
};

const scaleAndMin: StoredType['header'] = (bytes, at, _index, group) => {
  group.scale = halfAt(bytes, at);
  group.offset = halfAt(bytes, at + 2);
};

/** Q4_K and Q5_K: 6-bit scales and mins of 8 groups in 12 bytes. */
const packedScaleAndMin: StoredType['header'] = (bytes, at, index, group) => {
  const low = byteAt(bytes, at + 4 + (index & 3));
  const high = byteAt(bytes, at + 8 + (index & 3));
  const spare = byteAt(bytes, at + 12 + (index & 3));
  const scale = index < 4 ? low & 63 : (spare & 15) | ((low >> 6) << 4);
  const min = index < 4 ? high & 63 : (spare >> 4) | ((high >> 6) << 4);
  group.scale = halfAt(bytes, at) * scale;
  group.offset = -halfAt(bytes, at + 2) * min;
};

const q2Header: StoredType['header'] = (bytes, at, index, group) => {
  const packed = byteAt(bytes, at + index);
  group.scale = halfAt(bytes, at + 80) * (packed & 15);
  group.offset = -halfAt(bytes, at + 82) * (packed >> 4);
};

/** 4 low bits from the first 8 of 12 bytes, 2 high bits from the last 4. */
const q3Header: StoredType['header'] = (bytes, at, index, group) => {
  const low = (byteAt(bytes, at + 96 + (index & 7)) >> (4 * (index >> 3))) & 15;
  const high = (byteAt(bytes, at + 104 + (index & 3)) >> (2 * (index >> 2))) & 3;
  group.scale = halfAt(bytes, at + 108) * ((low | (high << 4)) - 32);
};

const q6Header: StoredType['header'] = (bytes, at, index, group) => {
  group.scale = halfAt(bytes, at + 208) * signedAt(bytes, at + 192 + index);
};

const iq4XsHeader: StoredType['header'] = (bytes, at, index, group) => {
  const high = byteAt(bytes, at + 2) | (byteAt(bytes, at + 3) << 8);
  const low = (byteAt(bytes, at + 4 + (index >> 1)) >> (4 * (index & 1))) & 15;
  group.scale = halfAt(bytes, at) * ((low | (((high >> (2 * index)) & 3) << 4)) - 32);
};

const layout = (bits: 4 | 8, blockSize: number): BlockLayout => ({ bits, blockSize });

/** 5-bit and 6-bit levels go into 8-bit codes, and the uneven levels of the IQ4 types too. */
const STORED: Readonly<Partial<Record<SourceType, StoredType>>> = {
  Q4_0: { layout: layout(4, 32), ...symmetric4, header: scaleOnly },
  Q4_1: { layout: layout(4, 32), zeroLevel: 0, offsets: true, header: scaleAndMin },
  Q5_0: { layout: layout(8, 32), ...symmetric8, header: scaleOnly },
  Q5_1: { layout: layout(8, 32), zeroLevel: 128, offsets: true, header: scaleAndMin },
  Q8_0: { layout: layout(8, 32), ...symmetric8, header: scaleOnly },
  Q2_K: { layout: layout(4, 16), zeroLevel: 8, offsets: true, header: q2Header },
  Q3_K: { layout: layout(4, 16), ...symmetric4, header: q3Header },
  Q4_K: { layout: layout(4, 32), zeroLevel: 0, offsets: true, header: packedScaleAndMin },
  Q5_K: { layout: layout(8, 32), zeroLevel: 128, offsets: true, header: packedScaleAndMin },
  Q6_K: { layout: layout(8, 16), ...symmetric8, header: q6Header },
  IQ4_NL: { layout: layout(8, 32), ...symmetric8, header: scaleOnly },
  IQ4_XS: { layout: layout(8, 32), ...symmetric8, header: iq4XsHeader },
};

/** The exact map of a stored type, or null for types that are not quantised. */
export function storedBlocks(type: SourceType | null): BlockSource | null {
  const stored = type === null ? undefined : STORED[type];
  if (type === null || stored === undefined) return null;
  return { layout: stored.layout, zeroPoints: false, offsets: stored.offsets, readRows: rowReader(type, stored) };
}

function rowReader(type: SourceType, stored: StoredType): BlockSource['readRows'] {
  const { bits, blockSize } = stored.layout;
  const source = BLOCKS[type];
  const groups = source.weights / blockSize;
  const group: Group = { scale: 0, offset: 0 };
  // Codes mean `scale · (code − middle)`; a zero level elsewhere moves into the offset.
  const shift = middleOf(bits) - stored.zeroLevel;
  return (weights: LinearWeights, from: number, count: number) => {
    const width = weights.inFeatures;
    const bytes = weights.readRaw(from, count);
    const values = weights.readF32(from, count);
    const bytesPerRow = rowBytes(type, width);
    return (row, index, block) => {
      const at = row * bytesPerRow + Math.floor(index / groups) * source.bytes;
      stored.header(bytes, at, index % groups, group);
      block.scale = group.scale;
      block.offset = Math.fround(group.offset + shift * group.scale);
      levels(values, row * width + index * blockSize, group, block.codes, stored.zeroLevel);
    };
  };
}

function levels(values: Float32Array, at: number, group: Group, codes: Uint8Array, zeroLevel: number): void {
  const inverse = group.scale === 0 ? 0 : 1 / group.scale;
  for (let j = 0; j < codes.length; j++) codes[j] = Math.round(((values[at + j] ?? 0) - group.offset) * inverse) + zeroLevel;
}
