// Owns the figures of samples that training and its validation share.
import type { Spread } from './model.ts';

/** Of a population; 0 for no values. A deviation that is only rounding counts as 0. */
export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length);
  return { mean, deviation: variance < 1e-18 ? 0 : Math.sqrt(variance) };
}

/** Slope of the least-squares line; 0 when the inputs are all the same. */
export function lineSlope(inputs: readonly number[], outputs: readonly number[]): number {
  const { mean, deviation } = spreadOf(inputs);
  if (deviation === 0) return 0;
  return inputs.reduce((sum, input, index) => sum + (input - mean) * (outputs[index] ?? 0), 0) / (inputs.length * deviation ** 2);
}
