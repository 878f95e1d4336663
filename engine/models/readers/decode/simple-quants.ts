// Owns ggml's quants with blocks of 32 weights and one scale: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.
// In the 4- and 5-bit types a byte's low nibble is weight j, its high nibble weight j + 16.
import { byteAt, halfAt, signedAt } from './plain.ts';

const BLOCK = 32;
const HALF = 16;

export function decodeQ40(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += BLOCK, at += 18) {
    const scale = halfAt(bytes, at);
    for (let j = 0; j < HALF; j++) {
      const pair = byteAt(bytes, at + 2 + j);
      out[to + j] = scale * ((pair & 15) - 8);
      out[to + HALF + j] = scale * ((pair >> 4) - 8);
    }
  }
}

export function decodeQ41(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += BLOCK, at += 20) {
    const scale = halfAt(bytes, at);
    const min = halfAt(bytes, at + 2);
    for (let j = 0; j < HALF; j++) {
      const pair = byteAt(bytes, at + 4 + j);
      out[to + j] = scale * (pair & 15) + min;
      out[to + HALF + j] = scale * (pair >> 4) + min;
    }
  }
}

export function decodeQ50(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += BLOCK, at += 22) {
    decodeFiveBits(bytes, at + 2, at + 6, out, to, halfAt(bytes, at), -16 * halfAt(bytes, at));
  }
}

export function decodeQ51(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += BLOCK, at += 24) {
    decodeFiveBits(bytes, at + 4, at + 8, out, to, halfAt(bytes, at), halfAt(bytes, at + 2));
  }
}

/** Fifth bits lie in four bytes, bit j for weight j. */
function decodeFiveBits(bytes: Uint8Array, highAt: number, lowAt: number, out: Float32Array, to: number, scale: number, min: number): void {
  for (let j = 0; j < HALF; j++) {
    const pair = byteAt(bytes, lowAt + j);
    const first = (byteAt(bytes, highAt + (j >> 3)) >> (j & 7)) & 1;
    const second = (byteAt(bytes, highAt + 2 + (j >> 3)) >> (j & 7)) & 1;
    out[to + j] = scale * ((pair & 15) | (first << 4)) + min;
    out[to + HALF + j] = scale * ((pair >> 4) | (second << 4)) + min;
  }
}

export function decodeQ80(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += BLOCK, at += 34) {
    const scale = halfAt(bytes, at);
    for (let j = 0; j < BLOCK; j++) out[to + j] = scale * signedAt(bytes, at + 2 + j);
  }
}
