// Owns ggml's K-quants: super-blocks of 256 weights in groups of 16 or 32, whose scales are small integers times one half float.
import { byteAt, halfAt, signedAt } from './plain.ts';

const SUPER = 256;

/** 84 bytes: 16 × (4-bit scale, 4-bit min), 64 bytes of 2-bit weights, scale, scale of the mins. */
export function decodeQ2K(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += SUPER, at += 84) {
    const scale = halfAt(bytes, at + 80);
    const minScale = halfAt(bytes, at + 82);
    for (let group = 0; group < 16; group++) {
      const packed = byteAt(bytes, at + group);
      const groupScale = scale * (packed & 15);
      const min = minScale * (packed >> 4);
      const { from, shift } = twoBitPlace(group);
      for (let l = 0; l < 16; l++) out[to + group * 16 + l] = groupScale * ((byteAt(bytes, at + 16 + from + l) >> shift) & 3) - min;
    }
  }
}

/** 110 bytes: 32 of third bits (set: no 4 is subtracted), 64 of 2-bit weights, 16 packed 6-bit scales, scale. */
export function decodeQ3K(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += SUPER, at += 110) {
    const scale = halfAt(bytes, at + 108);
    for (let group = 0; group < 16; group++) {
      const groupScale = scale * (sixBitScale(bytes, at + 96, group) - 32);
      const { from, shift } = twoBitPlace(group);
      const thirdBit = group >> 1;
      for (let l = 0; l < 16; l++) {
        const low = (byteAt(bytes, at + 32 + from + l) >> shift) & 3;
        const high = (byteAt(bytes, at + (group & 1) * 16 + l) >> thirdBit) & 1;
        out[to + group * 16 + l] = groupScale * (low - (high === 1 ? 0 : 4));
      }
    }
  }
}

/** Where the 16 two-bit weights of a group lie: 32 bytes hold four groups of 32, one at each shift. */
function twoBitPlace(group: number): { readonly from: number; readonly shift: number } {
  return { from: (group >> 3) * 32 + (group & 1) * 16, shift: 2 * ((group >> 1) & 3) };
}

/** Q3_K's scale: 4 low bits from the first 8 of 12 bytes, 2 high bits from the last 4. */
function sixBitScale(bytes: Uint8Array, at: number, group: number): number {
  const low = (byteAt(bytes, at + (group & 7)) >> (4 * (group >> 3))) & 15;
  const high = (byteAt(bytes, at + 8 + (group & 3)) >> (2 * (group >> 2))) & 3;
  return low | (high << 4);
}

/** 144 bytes: scale, scale of the mins, 8 × (6-bit scale, 6-bit min) in 12, 128 of 4-bit weights. */
export function decodeQ4K(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += SUPER, at += 144) {
    for (let group = 0; group < 8; group++) {
      const { scale, min } = scaleAndMin(bytes, at, group);
      const from = at + 16 + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let l = 0; l < 32; l++) out[to + group * 32 + l] = scale * ((byteAt(bytes, from + l) >> shift) & 15) - min;
    }
  }
}

/** 176 bytes: as Q4_K, with 32 bytes of fifth bits (bit `group` of byte l) before the 4-bit weights. */
export function decodeQ5K(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += SUPER, at += 176) {
    for (let group = 0; group < 8; group++) {
      const { scale, min } = scaleAndMin(bytes, at, group);
      const from = at + 48 + (group >> 1) * 32;
      const shift = (group & 1) * 4;
      for (let l = 0; l < 32; l++) {
        const fifth = (byteAt(bytes, at + 16 + l) >> group) & 1;
        out[to + group * 32 + l] = scale * (((byteAt(bytes, from + l) >> shift) & 15) | (fifth << 4)) - min;
      }
    }
  }
}

/** The scale and min of a group of 32 in Q4_K and Q5_K: the first four groups plainly, the last four split over spare bits. */
function scaleAndMin(bytes: Uint8Array, at: number, group: number): { readonly scale: number; readonly min: number } {
  const packed = at + 4;
  const scaleBits =
    group < 4
      ? byteAt(bytes, packed + group) & 63
      : (byteAt(bytes, packed + group + 4) & 15) | ((byteAt(bytes, packed + group - 4) >> 6) << 4);
  const minBits =
    group < 4
      ? byteAt(bytes, packed + group + 4) & 63
      : (byteAt(bytes, packed + group + 4) >> 4) | ((byteAt(bytes, packed + group) >> 6) << 4);
  return { scale: halfAt(bytes, at) * scaleBits, min: halfAt(bytes, at + 2) * minBits };
}

/** 210 bytes: 128 of low nibbles, 64 of high bit pairs, 16 signed scales, scale. Each half of the block is 4 runs of 32. */
export function decodeQ6K(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += SUPER, at += 210) {
    const scale = halfAt(bytes, at + 208);
    for (let run = 0; run < 8; run++) {
      const half = run >> 2;
      const inHalf = run & 3;
      const lowAt = at + half * 64 + (inHalf & 1) * 32;
      const highAt = at + 128 + half * 32;
      for (let l = 0; l < 32; l++) {
        const low = (byteAt(bytes, lowAt + l) >> (4 * (inHalf >> 1))) & 15;
        const high = (byteAt(bytes, highAt + l) >> (2 * inHalf)) & 3;
        const groupScale = scale * signedAt(bytes, at + 192 + run * 2 + (l >> 4));
        out[to + run * 32 + l] = groupScale * ((low | (high << 4)) - 32);
      }
    }
  }
}
