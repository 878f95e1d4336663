// Owns rotary position embeddings: frequencies by scaling rule, and the cos and sin tables the graph carries.
// Knows nothing about graphs. Base: RoFormer, arXiv 2104.09864.
import type { RopeConfig } from '../manifest.ts';
import { assertNever } from '../../errors.ts';

type Scaling = NonNullable<RopeConfig['scaling']>;
type Llama3 = Extract<Scaling, { kind: 'llama3' }>;
type Yarn = Extract<Scaling, { kind: 'yarn' }>;

export interface RopeTables {
  /** [positions, dim / 2], row-major. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** Radians a position for each rotated pair: [dim / 2]. `local` asks for the sliding-window layers' own base, which no rule scales. */
export function ropeFrequencies(rope: RopeConfig, local: boolean): Float64Array {
  const base = local && rope.localTheta !== null ? rope.localTheta : rope.theta;
  const plain = Float64Array.from({ length: rope.dim / 2 }, (_, pair) => base ** ((-2 * pair) / rope.dim));
  if (rope.scaling === null || (local && rope.localTheta !== null)) return plain;
  return scaled(plain, rope.scaling, rope.dim, base);
}

/** The tables for positions 0 to `positions` - 1. */
export function ropeTables(rope: RopeConfig, local: boolean, positions: number): RopeTables {
  const frequencies = ropeFrequencies(rope, local);
  const magnitude = rope.scaling?.kind === 'yarn' ? rope.scaling.attentionFactor : 1;
  const cos = new Float32Array(positions * frequencies.length);
  const sin = new Float32Array(cos.length);
  for (let position = 0, at = 0; position < positions; position++) {
    for (const frequency of frequencies) {
      cos[at] = magnitude * Math.cos(position * frequency);
      sin[at++] = magnitude * Math.sin(position * frequency);
    }
  }
  return { cos, sin };
}

function scaled(plain: Float64Array, scaling: Scaling, dim: number, base: number): Float64Array {
  switch (scaling.kind) {
    case 'linear':
      return plain.map((frequency) => frequency / scaling.factor);
    case 'factors':
      return plain.map((frequency, pair) => frequency / (scaling.factors[pair] ?? 1));
    case 'llama3':
      return plain.map((frequency) => llama3Frequency(frequency, scaling));
    case 'yarn':
      return yarnFrequencies(plain, scaling, dim, base);
    default:
      return assertNever(scaling);
  }
}

/** Llama 3.1: long waves are stretched, short ones kept, those between interpolated (its model card's reference code). */
function llama3Frequency(frequency: number, rule: Llama3): number {
  const turns = (rule.originalContextLength * frequency) / (2 * Math.PI);
  if (turns < rule.lowFreqFactor) return frequency / rule.factor;
  if (turns > rule.highFreqFactor) return frequency;
  const kept = (turns - rule.lowFreqFactor) / (rule.highFreqFactor - rule.lowFreqFactor);
  return (1 - kept) * (frequency / rule.factor) + kept * frequency;
}

/** YaRN (arXiv 2309.00071, section 3.2): a ramp over the pairs between the two turn counts. */
function yarnFrequencies(plain: Float64Array, rule: Yarn, dim: number, base: number): Float64Array {
  const pairOf = (turns: number): number => (dim * Math.log(rule.originalContextLength / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const low = Math.max(0, Math.floor(pairOf(rule.betaFast)));
  const high = Math.min(dim - 1, Math.ceil(pairOf(rule.betaSlow)));
  const width = Math.max(high - low, 0.001);
  return plain.map((frequency, pair) => {
    const stretched = Math.min(1, Math.max(0, (pair - low) / width));
    return (frequency / rule.factor) * stretched + frequency * (1 - stretched);
  });
}
