// Owns which source tensors make each part of a decoder, under Hugging Face's names, and checks their shapes.
// Knows nothing about graphs or about the forms that weights take there.
import { EngineError } from '../../errors.ts';
import type { DecoderConfig } from '../manifest.ts';
import type { SourceModel } from '../readers/source-model.ts';
import type { SourceTensor } from '../readers/tensors.ts';
import type { LayerSmoothing, LinearWeights } from './linear.ts';
import { halvesFromPairs, stackRows, wholeTensor } from './stacked-weights.ts';

type Source = Pick<SourceModel, 'tensors' | 'config' | 'qkRowsPermuted'>;
type Smoothing = (layer: number) => LayerSmoothing | null;

const EMBEDDING = 'model.embed_tokens.weight';

/** Reads nothing until asked; throws `model_file_invalid` for a tensor that is missing or has another shape than the config says. */
export class DecoderWeights {
  readonly config: DecoderConfig;
  readonly #source: Source;
  readonly #smoothing: Smoothing;

  constructor(source: Source, smoothing: Smoothing) {
    this.config = source.config;
    this.#source = source;
    this.#smoothing = smoothing;
  }

  /** q, k and v one below the other. */
  qkv(layer: number): LinearWeights {
    const { headCount, kvHeadCount, headDim, hiddenSize } = this.config;
    const smoothing = this.#smoothing(layer);
    const columnFactors = smoothing?.qkv ?? null;
    const part = (letter: string, heads: number, rowFactors: Float32Array | null) => ({
      tensor: this.#tensor(this.#layer(layer, `self_attn.${letter}_proj.weight`), [heads * headDim, hiddenSize]),
      rowOrder: letter === 'v' ? null : this.#rotationOrder(heads),
      columnFactors,
      rowFactors,
    });
    const v = part('v', kvHeadCount, inverse(smoothing?.attnOut ?? null));
    return stackRows(`layers.${layer}.qkv`, [part('q', headCount, null), part('k', kvHeadCount, null), v], this.#qkvBias(layer));
  }

  attnOut(layer: number): LinearWeights {
    const { headCount, headDim, hiddenSize } = this.config;
    const tensor = this.#tensor(this.#layer(layer, 'self_attn.o_proj.weight'), [hiddenSize, headCount * headDim]);
    const columnFactors = this.#perQueryHead(this.#smoothing(layer)?.attnOut ?? null);
    return stackRows(`layers.${layer}.attn_out`, [{ ...wholeTensor(tensor), columnFactors }], null);
  }

  /** gate and up one below the other. */
  gateUp(layer: number): LinearWeights {
    const { intermediateSize, hiddenSize } = this.config;
    const smoothing = this.#smoothing(layer);
    const part = (which: string, rowFactors: Float32Array | null) => ({
      tensor: this.#tensor(this.#layer(layer, `mlp.${which}_proj.weight`), [intermediateSize, hiddenSize]),
      rowOrder: null,
      columnFactors: smoothing?.gateUp ?? null,
      rowFactors,
    });
    return stackRows(`layers.${layer}.gate_up`, [part('gate', null), part('up', inverse(smoothing?.down ?? null))], null);
  }

  down(layer: number): LinearWeights {
    const { intermediateSize, hiddenSize } = this.config;
    const tensor = this.#tensor(this.#layer(layer, 'mlp.down_proj.weight'), [hiddenSize, intermediateSize]);
    const columnFactors = this.#smoothing(layer)?.down ?? null;
    return stackRows(`layers.${layer}.down`, [{ ...wholeTensor(tensor), columnFactors }], null);
  }

  /** The token table, [vocab, hidden]. */
  embedding(): LinearWeights {
    return stackRows('embed_tokens', [wholeTensor(this.#table(EMBEDDING))], null);
  }

  /** The output head: the token table itself, under the same name, when the two are tied. */
  head(): LinearWeights {
    if (this.config.tiedEmbeddings) return this.embedding();
    return stackRows('lm_head', [wholeTensor(this.#table('lm_head.weight'))], null);
  }

  /** The weights of the norm before attention as they are multiplied, smoothing divided out. */
  attentionNorm(layer: number): Float32Array {
    return this.#norm(this.#layer(layer, 'input_layernorm.weight'), this.#smoothing(layer)?.qkv ?? null);
  }

  /** The norm before the MLP; its name in the source depends on whether there is one after attention too. */
  mlpNorm(layer: number): Float32Array {
    const name = this.config.sandwichNorms ? 'pre_feedforward_layernorm.weight' : 'post_attention_layernorm.weight';
    return this.#norm(this.#layer(layer, name), this.#smoothing(layer)?.gateUp ?? null);
  }

  /** The norms on what attention and the MLP add to the residual (gemma). */
  outputNorm(layer: number, after: 'attention' | 'mlp'): Float32Array {
    const name = after === 'attention' ? 'post_attention_layernorm.weight' : 'post_feedforward_layernorm.weight';
    return this.#norm(this.#layer(layer, name), null);
  }

  /** The norm of each head's q or k, [headDim]. */
  headNorm(layer: number, letter: 'q' | 'k'): Float32Array {
    return this.#norm(this.#layer(layer, `self_attn.${letter}_norm.weight`), null, this.config.headDim);
  }

  finalNorm(): Float32Array {
    return this.#norm('model.norm.weight', null);
  }

  #norm(name: string, smoothing: Float32Array | null, length = this.config.hiddenSize): Float32Array {
    const stored = this.#tensor(name, [length]).readF32(0, 1);
    return stored.map((weight, at) => (weight + this.config.normWeightOffset) / (smoothing?.[at] ?? 1));
  }

  #qkvBias(layer: number): Float32Array | null {
    if (!this.config.qkvBias) return null;
    const { headCount, kvHeadCount, headDim } = this.config;
    const read = (letter: string, heads: number): Float32Array =>
      this.#tensor(this.#layer(layer, `self_attn.${letter}_proj.bias`), [heads * headDim]).readF32(0, 1);
    const inOrder = (stored: Float32Array, heads: number): Float32Array => {
      const order = this.#rotationOrder(heads);
      return order === null ? stored : Float32Array.from(order, (row) => stored[row] ?? 0);
    };
    const factors = this.#smoothing(layer)?.attnOut ?? null;
    const v = read('v', kvHeadCount).map((bias, row) => bias / (factors?.[row] ?? 1));
    return concatenate([inOrder(read('q', headCount), headCount), inOrder(read('k', kvHeadCount), kvHeadCount), v]);
  }

  #rotationOrder(heads: number): Int32Array | null {
    return this.#source.qkRowsPermuted ? halvesFromPairs(heads, this.config.headDim) : null;
  }

  /** Factors of the key-value heads, repeated for the query heads that share each. */
  #perQueryHead(factors: Float32Array | null): Float32Array | null {
    if (factors === null) return null;
    const { headCount, kvHeadCount, headDim } = this.config;
    const group = headCount / kvHeadCount;
    return Float32Array.from({ length: headCount * headDim }, (_, at) => {
      const kvHead = Math.floor(at / headDim / group);
      return factors[kvHead * headDim + (at % headDim)] ?? 1;
    });
  }

  #table(name: string): SourceTensor {
    return this.#tensor(name, [this.config.vocabSize, this.config.hiddenSize]);
  }

  #layer(layer: number, rest: string): string {
    return `model.layers.${layer}.${rest}`;
  }

  #tensor(name: string, shape: readonly number[]): SourceTensor {
    const tensor = this.#source.tensors.tensors.get(name);
    if (tensor === undefined) throw new EngineError('model_file_invalid', `The model has no tensor ${name}.`);
    if (tensor.shape.join() !== shape.join()) {
      throw new EngineError(
        'model_file_invalid',
        `The tensor ${name} has shape [${tensor.shape.join(', ')}]; the config says [${shape.join(', ')}].`,
      );
    }
    return tensor;
  }
}

function inverse(factors: Float32Array | null): Float32Array | null {
  return factors?.map((factor) => 1 / factor) ?? null;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
