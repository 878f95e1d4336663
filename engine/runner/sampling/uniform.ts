// Owns the random numbers of sampling: counter-based, so that a draw depends on the request's seed, choice and position alone,
// never on the company in the batch or on draws made before.

const GAMMA = 0x9e3779b97f4a7c15n;
const MASK = (1n << 64n) - 1n;

/** The output function of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
function mix64(state: bigint): bigint {
  let z = state & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** A number in [0, 1) with 53 random bits. `choice` and `index` (the token's place in the answer) select the draw. */
export function uniformAt(seed: bigint, choice: number, index: number): number {
  const stream = mix64(seed + GAMMA * BigInt(choice + 1));
  return Number(mix64(stream + GAMMA * BigInt(index + 1)) >> 11n) / 2 ** 53;
}
