// The functions that turn a head's scores into probabilities. Pure.

export function sigmoid(score: number): number {
  return 1 / (1 + Math.exp(-score));
}

/** Sums to 1; the largest score is subtracted first, so that none overflows. */
export function softmax(scores: Float32Array): number[] {
  const largest = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
