// Owns rotary position embeddings: frequencies by scaling rule, and the tables of their cosines and sines.
// Knows nothing about graphs. Base: RoFormer, arXiv 2104.09864.
import type { RopeConfig } from '../manifest.ts';
import { assertNever } from '../../errors.ts';

type Scaling = NonNullable<RopeConfig['scaling']>;
type Llama3 = Extract<Scaling, { kind: 'llama3' }>;
type Yarn = Extract<Scaling, { kind: 'yarn' }>;

export interface RopeTableRequest {
  readonly rope: RopeConfig;
  /** The sliding-window layers' table. */
  readonly local: boolean;
  readonly positions: number;
  readonly wave: typeof Math.cos | typeof Math.sin;
}

const SLAB_POSITIONS = 4096;
/** Positions a graph has tables for at most, whatever a file claims: its size must not be the file's to choose. */
export const MAX_POSITIONS = 262_144;

/** Radians a position for each rotated pair: [dim / 2]. `local` asks for the sliding-window layers' own base, which no rule scales. */
export function ropeFrequencies(rope: RopeConfig, local: boolean): Float64Array {
  const base = local && rope.localTheta !== null ? rope.localTheta : rope.theta;
  const plain = Float64Array.from({ length: rope.dim / 2 }, (_, pair) => base ** ((-2 * pair) / rope.dim));
  if (rope.scaling === null || (local && rope.localTheta !== null)) return plain;
  return scaled(plain, rope.scaling, rope.dim, base);
}

/** One of the two tables, [positions, dim / 2] row-major, a slab of positions at a time. */
export function* ropeTable({ rope, local, positions, wave }: RopeTableRequest): Generator<Float32Array> {
  const frequencies = ropeFrequencies(rope, local);
  const magnitude = rope.scaling?.kind === 'yarn' ? rope.scaling.attentionFactor : 1;
  for (let from = 0; from < positions; from += SLAB_POSITIONS) {
    const slab = new Float32Array(Math.min(SLAB_POSITIONS, positions - from) * frequencies.length);
    for (let at = 0; at < slab.length; at++) {
      const position = from + Math.floor(at / frequencies.length);
      slab[at] = magnitude * wave(position * (frequencies[at % frequencies.length] ?? 0));
    }
    yield slab;
  }
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
