// Owns ggml's non-linear 4-bit quants: IQ4_NL (blocks of 32) and IQ4_XS (256, a 6-bit scale for each 32).
import { byteAt, halfAt } from './plain.ts';

/** The 16 levels of both types, `kvalues_iq4nl` in ggml-common.h. */
const LEVELS = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
const HALF = 16;

export function decodeIq4Nl(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += 32, at += 18) decodeLevels(bytes, at + 2, out, to, halfAt(bytes, at));
}

export function decodeIq4Xs(bytes: Uint8Array, out: Float32Array): void {
  for (let to = 0, at = 0; to < out.length; to += 256, at += 136) {
    const scale = halfAt(bytes, at);
    const high = byteAt(bytes, at + 2) | (byteAt(bytes, at + 3) << 8);
    for (let group = 0; group < 8; group++) {
      const low = (byteAt(bytes, at + 4 + (group >> 1)) >> (4 * (group & 1))) & 15;
      const groupScale = scale * ((low | (((high >> (2 * group)) & 3) << 4)) - 32);
      decodeLevels(bytes, at + 8 + group * HALF, out, to + group * 32, groupScale);
    }
  }
}

function decodeLevels(bytes: Uint8Array, at: number, out: Float32Array, to: number, scale: number): void {
  for (let j = 0; j < HALF; j++) {
    const pair = byteAt(bytes, at + j);
    out[to + j] = scale * (LEVELS[pair & 15] ?? 0);
    out[to + HALF + j] = scale * (LEVELS[pair >> 4] ?? 0);
  }
}
