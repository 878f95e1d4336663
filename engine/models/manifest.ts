// Owns the shape of an installed model on disk: `<data>/models/<id>/model.json` and what it names.
// Knows nothing about how files are fetched or converted. Readers of this file: fleet, runner, cli.
import type { InferConfig } from './infer/tensors.ts';

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

export type EncoderFamily = 'bert' | 'roberta' | 'mpnet' | 'distilbert' | 'nomic_bert' | 'modernbert';

/** The numbers of an encoder-only transformer. Switches, not the family's name, say what a graph writer does. */
export interface EncoderConfig {
  readonly family: EncoderFamily;
  readonly hiddenSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  /** Tokens of one text, special ones included: what positions, training and the model's own settings allow. */
  readonly contextLength: number;
  readonly normEpsilon: number;
  /** Norms before attention and MLP (`pre`, with one more at the end), or after each sum (`post`). */
  readonly normPlacement: 'pre' | 'post';
  readonly activation: 'gelu' | 'gelu_tanh' | 'relu' | 'silu';
  /** down(act(gate(x)) · up(x)) instead of down(act(up(x))). */
  readonly gatedMlp: boolean;
  readonly positions: EncoderPositions;
  /** Kinds of segment that have a vector of their own; 0: none. */
  readonly tokenTypeCount: number;
  /** One entry a layer. */
  readonly layers: readonly EncoderLayerConfig[];
  readonly head: EncoderHead;
}

export type EncoderPositions =
  /** A vector for each position is added to the token's; those of the first `skippedRows` rows belong to no position. */
  | { readonly kind: 'learned'; readonly skippedRows: number }
  /** Beside the vectors, a bias on q·k by the distance of two tokens, in buckets (T5, arXiv 1910.10683; MPNet). */
  | { readonly kind: 'learned_and_relative'; readonly skippedRows: number; readonly bucketCount: number; readonly maxDistance: number }
  | { readonly kind: 'rope'; readonly theta: number; readonly localTheta: number };

export interface EncoderLayerConfig {
  /** Farthest token to either side that a token sees; 0 means all. */
  readonly reach: number;
  /** False where the norm before attention is left out (modernbert's first layer). */
  readonly attentionNorm: boolean;
}

/** What a row of the graph's output is. */
export type EncoderHead =
  | {
      readonly kind: 'embedding';
      readonly pooling: EncoderPooling;
      /** Rows have length 1. */
      readonly normalize: boolean;
      readonly dimensions: number;
      /** Lengths to which a vector may be cut (and normalised again), in falling order; empty: none (arXiv 2205.13147). */
      readonly matryoshka: readonly number[];
      /** Texts that stand before an input by its use, as the model's own settings name them: `query`, `document` … */
      readonly prompts: Readonly<Record<string, string>>;
      /** The prompt that stands before an input of no stated use; null: none. */
      readonly defaultPrompt: string | null;
    }
  | {
      readonly kind: 'classification';
      readonly pooling: EncoderPooling;
      /** Names in the order of the row's numbers, which are logits. One label: a relevance score (cross-encoder) or a regression. */
      readonly labels: readonly string[];
      /** How logits become scores. */
      readonly scores: 'softmax' | 'sigmoid' | 'identity';
    };

export type EncoderPooling = 'mean' | 'cls' | 'last';

/** Names of the inputs and outputs of every encoder graph: N texts of together T tokens, the longest of L tokens, none padded
 * but inside attention. `engine/runner/encoder/ort-encoder.ts` fills them.
 *
 * inputs:  `input_ids` int64 [T], the texts one behind the other; `positions` int64 [T], each token's place in its text (families with
 *          learned positions); `token_types` int64 [T] (classification heads of families with segments: 1 in the second text);
 *          `padded_rows` int64 [N, L]: which of the T tokens stands at each place of the padded form, any at places beyond a text's end;
 *          `packed_places` int64 [T]: each token's place among the N·L; `seqlens_k` int32 [N]: length minus 1;
 *          `total_sequence_length` int32 [] = L; `pool_weights` float32 [N, 1, L]: a text's pooling (mean, first or last) as weights
 *          of its tokens, zero beyond its end. N is one at least: with none a kernel ends the process.
 * output:  `rows` float32 [N, width]: vectors (normalised if the head says so) or logits.
 */
export const ENCODER_OUTPUT = 'rows';

/** Ends the names of variants whose KV cache has 8 bits; what comes before names the one with the same weights and a float32 cache. */
export const SMALL_CACHE_SUFFIX = '-kv8';

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
  /** Element type of the KV cache inputs; of no meaning for encoders. */
  readonly kvType: 'f32' | 'i8';
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

interface CommonManifest {
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
  readonly variants: Readonly<Record<string, VariantManifest>>;
  /** The variant that a plain model name means. */
  readonly defaultVariant: string;
  /** Those that were it before, the latest last; absent: none. */
  readonly earlierDefaults?: readonly string[];
}

/** A model that continues text. */
export interface DecoderManifest extends CommonManifest {
  /** Absent in manifests from before there were encoders. */
  readonly kind?: 'decoder';
  readonly config: DecoderConfig;
  readonly tokenizer: TokenizerManifest;
}

/** A model that makes a vector or scores of a text. */
export interface EncoderManifest extends CommonManifest {
  readonly kind: 'encoder';
  readonly config: EncoderConfig;
  /** `file`: `tokenizer.json` in the Hugging Face format, relative to the model's folder, without truncation or padding. */
  readonly tokenizer: Pick<TokenizerManifest, 'file'>;
}

/** Any other ONNX model: tensors in, tensors out. */
export interface InferManifest extends CommonManifest {
  readonly kind: 'infer';
  readonly config: InferConfig;
}

/** A model of texts. */
export type TextManifest = DecoderManifest | EncoderManifest;

export type ModelManifest = TextManifest | InferManifest;

/** Whether the model writes text. */
export function isDecoder(manifest: ModelManifest): manifest is DecoderManifest {
  return manifest.kind === undefined || manifest.kind === 'decoder';
}

/** Tokens of one sequence, as trained; 0 for models that take no text. */
export function contextLengthOf(manifest: ModelManifest): number {
  return manifest.kind === 'infer' ? 0 : manifest.config.contextLength;
}
