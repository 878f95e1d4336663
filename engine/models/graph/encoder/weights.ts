// Owns which tensors make each part of an encoder, by the canonical names of its reader.
// Knows nothing about graphs or about the forms that weights take there.
import { bug } from '../../../errors.ts';
import type { EncoderConfig } from '../../manifest.ts';
import type { EncoderSource } from '../../readers/encoder/source.ts';
import type { SourceTensor } from '../../readers/tensors.ts';
import type { LinearWeights } from '../linear.ts';
import { stackRows, wholeTensor } from '../stacked-weights.ts';

export interface NormWeights {
  readonly scale: Float32Array;
  /** Null in families without. */
  readonly bias: Float32Array | null;
}

/** Reads nothing until asked. */
export class EncoderWeights {
  readonly config: EncoderConfig;
  readonly #tensors: ReadonlyMap<string, SourceTensor>;

  constructor(source: Pick<EncoderSource, 'tensors' | 'config'>) {
    this.config = source.config;
    this.#tensors = source.tensors.tensors;
  }

  /** The token table, [vocab, hidden]. */
  words(): LinearWeights {
    return stackRows('words', [wholeTensor(this.#tensor('word.weight'))], null);
  }

  /** q, k and v one below the other. */
  qkv(layer: number): LinearWeights {
    return this.#stacked(`layers.${layer}.qkv`, layer, ['q', 'k', 'v']);
  }

  attnOut(layer: number): LinearWeights {
    return this.#stacked(`layers.${layer}.attn_out`, layer, ['out']);
  }

  /** gate and up one below the other, or up alone in families without gates. */
  gateUp(layer: number): LinearWeights {
    return this.#stacked(`layers.${layer}.gate_up`, layer, this.config.gatedMlp ? ['gate', 'up'] : ['up']);
  }

  down(layer: number): LinearWeights {
    return this.#stacked(`layers.${layer}.down`, layer, ['down']);
  }

  /** The head's two linear layers: [hidden, hidden] and [labels, hidden]. */
  head(module: 'dense' | 'out'): LinearWeights {
    const weights = wholeTensor(this.#tensor(`head.${module}.weight`));
    return stackRows(`head.${module}`, [weights], this.#vector(`head.${module}.bias`));
  }

  norm(name: 'embed_norm' | 'final_norm' | 'head.norm'): NormWeights {
    return { scale: this.#table(`${name}.weight`), bias: this.#vector(`${name}.bias`) };
  }

  layerNorm(layer: number, name: 'attention_norm' | 'mlp_norm'): NormWeights {
    return { scale: this.#table(`layers.${layer}.${name}.weight`), bias: this.#vector(`layers.${layer}.${name}.bias`) };
  }

  /** Vectors of the positions of a text, [contextLength, hidden] row-major; rows that belong to no position are left out. */
  positions(skippedRows: number): Float32Array {
    return this.#tensor('position.weight').readF32(skippedRows, this.config.contextLength);
  }

  /** [types, hidden] row-major. */
  tokenTypes(): Float32Array {
    return this.#table('token_type.weight');
  }

  /** Bias of each bucket of distance for each head, [buckets, heads] row-major. */
  relativeBias(): Float32Array {
    return this.#table('relative.weight');
  }

  #stacked(name: string, layer: number, modules: readonly string[]): LinearWeights {
    const [first, ...rest] = modules.map((module) => wholeTensor(this.#tensor(`layers.${layer}.${module}.weight`)));
    const biases = modules.map((module) => this.#vector(`layers.${layer}.${module}.bias`));
    return stackRows(name, [first ?? bug(`Nothing is stacked in ${name}.`), ...rest], joined(biases));
  }

  #vector(name: string): Float32Array | null {
    return this.#tensors.has(name) ? this.#table(name) : null;
  }

  #table(name: string): Float32Array {
    const tensor = this.#tensor(name);
    return tensor.readF32(0, tensor.shape.length < 2 ? 1 : (tensor.shape[0] ?? 0));
  }

  #tensor(name: string): SourceTensor {
    return this.#tensors.get(name) ?? bug(`The reader let a model without ${name} through.`);
  }
}

/** All or none of the parts have a bias. */
function joined(parts: readonly (Float32Array | null)[]): Float32Array | null {
  const present = parts.filter((part) => part !== null);
  if (present.length === 0) return null;
  return Float32Array.from(present.flatMap((part) => Array.from(part)));
}
