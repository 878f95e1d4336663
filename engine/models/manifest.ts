// Owns the shape of an installed model on disk: `<data>/models/<id>/model.json` and what it names.
// Knows nothing about how files are fetched or converted. Readers of this file: fleet, runner, cli.

/** Bumped when a graph writer changes what it emits in a way that the runner relies on; older variants are rebuilt. */
export const GRAPH_VERSION = 1;

export type DecoderFamily = 'llama' | 'mistral' | 'qwen2' | 'qwen3' | 'smollm3' | 'gemma3';
export type Precision = 'fp32' | 'fp16' | 'int8' | 'int4';

/** The numbers of a decoder-only transformer, whatever file they came from. */
export interface DecoderConfig {
  readonly family: DecoderFamily;
  readonly hiddenSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly kvHeadCount: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  /** Positions the model was trained on. */
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly tiedEmbeddings: boolean;
  readonly activation: 'silu' | 'gelu_tanh';
  readonly rope: RopeConfig;
  /** One entry a layer. */
  readonly layers: readonly DecoderLayerConfig[];
  /** Biases on q, k and v (qwen2). */
  readonly qkvBias: boolean;
  /** RMS norms of each head's q and k before rotation (qwen3, gemma3). */
  readonly qkNorm: boolean;
  /** Norms after attention and after the MLP as well as before (gemma). */
  readonly sandwichNorms: boolean;
  /** Norm weights are stored as w, applied as 1 + w (gemma's safetensors; its GGUF has the 1 added). */
  readonly normWeightOffset: number;
  /** Factor on the embedding (gemma: sqrt(hiddenSize)); 1 elsewhere. */
  readonly embeddingScale: number;
  /** Factor on q·k; usually 1/sqrt(headDim). */
  readonly attentionScale: number;
  /** tanh caps; 0 means none. */
  readonly attentionSoftcap: number;
  readonly finalSoftcap: number;
}

export interface RopeConfig {
  readonly theta: number;
  /** Rotated dimensions of each head. */
  readonly dim: number;
  /** Divides the frequencies, after the family's own rule; null: none. */
  readonly scaling:
    | null
    | { readonly kind: 'linear'; readonly factor: number }
    | {
        readonly kind: 'llama3';
        readonly factor: number;
        readonly lowFreqFactor: number;
        readonly highFreqFactor: number;
        readonly originalContextLength: number;
      }
    | {
        readonly kind: 'yarn';
        readonly factor: number;
        readonly originalContextLength: number;
        readonly betaFast: number;
        readonly betaSlow: number;
        readonly attentionFactor: number;
      }
    | { readonly kind: 'factors'; readonly factors: readonly number[] };
  /** Base of the local (sliding-window) layers where it differs (gemma3). */
  readonly localTheta: number | null;
}

export interface DecoderLayerConfig {
  /** Window of a sliding-window layer in tokens; 0 means full attention. */
  readonly window: number;
  /** False in layers without rotary embedding (smollm3). */
  readonly rope: boolean;
}

/** Names of the inputs and outputs of every decoder graph. B sequences, S new tokens each, R rows of output.
 *
 * inputs:  `input_ids` int64 [B, S]; `seqlens_k` int32 [B] (total length minus 1); `total_sequence_length` int32 []
 *          (maximum over the batch); `rows` int64 [R] (which of the B·S positions reach the output head;
 *          at least one: with none a kernel divides by zero, which ends the process);
 *          `inverse_temperature` float32 [R, 1]; `past_k_<i>`, `past_v_<i>` [B, kvHeads, capacity, headDim].
 * outputs: `logits` float32 [R, vocab], not scaled; `top_values` float32 [R, 64] and `top_indices` int64 [R, 64]: the largest
 *          logits in falling order; `log_sum_exp` float32 [R] of logits·inverse_temperature;
 *          `present_k_<i>`, `present_v_<i>`, which may be the same memory as the past.
 */
export const GRAPH_TOP_COUNT = 64;

export interface VariantManifest {
  /** Name within the model: usually the precision. */
  readonly name: string;
  readonly precision: Precision;
  readonly graphVersion: number;
  /** Paths relative to the model's folder. */
  readonly graphFile: string;
  readonly weightsFile: string;
  /** Bytes of graph and weights together. */
  readonly sizeBytes: number;
  /** All tensors counted. */
  readonly bitsPerWeight: number;
  /** How the weights came about, in words: "Q4_1 blocks mapped exactly", "8-bit weights and activations, SmoothQuant 0.5". */
  readonly method: string;
  /** Element type of the KV cache inputs. */
  readonly kvType: 'f32' | 'f16' | 'i8';
}

export interface TokenizerManifest {
  /** `tokenizer.json` in the Hugging Face format, relative to the model's folder. */
  readonly file: string;
  /** Bytes of every token: see `vocab.ts`; relative to the model's folder. */
  readonly vocabFile: string;
  readonly bosToken: number | null;
  /** Tokens that end a turn. */
  readonly eosTokens: readonly number[];
  /** Whether plain text (completions) is prefixed with the BOS token. */
  readonly addBos: boolean;
  /** Jinja source; null when the model has none. */
  readonly chatTemplate: string | null;
}

export interface ModelManifest {
  readonly formatVersion: 1;
  /** Name in the API, also the folder's name: `[a-z0-9][a-z0-9._-]{0,95}`. */
  readonly id: string;
  readonly createdAt: string;
  readonly source: {
    readonly kind: 'hub' | 'file' | 'folder' | 'url' | 'python';
    readonly reference: string;
    readonly sha256: string | null;
  };
  readonly licence: string | null;
  readonly parameterCount: number;
  readonly config: DecoderConfig;
  readonly tokenizer: TokenizerManifest;
  readonly variants: Readonly<Record<string, VariantManifest>>;
  /** The variant that a plain model name means. */
  readonly defaultVariant: string;
}
