// Owns the table from a stored type to the function that decodes it to float32.
// Block layouts: github.com/ggml-org/ggml/blob/master/src/ggml-common.h
import type { SourceType } from '../tensors.ts';
import { decodeIq4Nl, decodeIq4Xs } from './iq4.ts';
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from './k-quants.ts';
import { decodeBf16, decodeF16, decodeF32 } from './plain.ts';
import { decodeQ40, decodeQ41, decodeQ50, decodeQ51, decodeQ80 } from './simple-quants.ts';

/** Fills `out` from whole blocks; `bytes` holds exactly the blocks of `out.length` weights. */
export type Decoder = (bytes: Uint8Array, out: Float32Array) => void;

const DECODERS: Readonly<Record<SourceType, Decoder>> = {
  F32: decodeF32,
  F16: decodeF16,
  BF16: decodeBf16,
  Q4_0: decodeQ40,
  Q4_1: decodeQ41,
  Q5_0: decodeQ50,
  Q5_1: decodeQ51,
  Q8_0: decodeQ80,
  Q2_K: decodeQ2K,
  Q3_K: decodeQ3K,
  Q4_K: decodeQ4K,
  Q5_K: decodeQ5K,
  Q6_K: decodeQ6K,
  IQ4_NL: decodeIq4Nl,
  IQ4_XS: decodeIq4Xs,
};

/** `count` weights decoded from whole blocks of this type. */
export function decode(type: SourceType, bytes: Uint8Array, count: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  DECODERS[type](bytes, out);
  return out;
}
