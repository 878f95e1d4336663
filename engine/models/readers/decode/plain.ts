// Owns the plain floating-point types: float32, IEEE half, bfloat16. Hosts are little-endian.

const HALF_TO_FLOAT = Float32Array.from(new Float16Array(Uint16Array.from({ length: 65_536 }, (_, bits) => bits).buffer));

/** The half-precision number at this byte. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return HALF_TO_FLOAT[byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8)] ?? 0;
}

/** The byte here, 0 outside: lengths are checked before decoding begins. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** The byte here as a signed number. */
export function signedAt(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 24) >> 24;
}

export function decodeF32(bytes: Uint8Array, out: Float32Array): void {
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
}

export function decodeF16(bytes: Uint8Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = halfAt(bytes, i * 2);
}

/** A bfloat16 is the upper half of a float32. */
export function decodeBf16(bytes: Uint8Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; i++) bits[i] = (byteAt(bytes, i * 2) << 16) | (byteAt(bytes, i * 2 + 1) << 24);
}
