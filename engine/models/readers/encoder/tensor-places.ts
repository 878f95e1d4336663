// Owns where each tensor of an encoder lies: canonical name, shape, and the name that the family's files give it.
// Canonical: `word`, `position`, `token_type`, `relative`, `embed_norm`, `layers.<i>.{q,k,v,out,attention_norm,up,gate,down,mlp_norm}`,
// `final_norm`, `head.{dense,norm,out}`, each with `.weight` and, where the family has it, `.bias`.
import { bug } from '../../../errors.ts';
import type { EncoderConfig, EncoderFamily } from '../../manifest.ts';

export interface TensorPlace {
  readonly shape: readonly number[];
  /** In the file, without the prefix of the whole model. */
  readonly name: string;
  /** First row in the file's tensor, which may hold others too (packed q, k and v). */
  readonly fromRow: number;
  /** Rows of the file's tensor; null: at least those of this one (positions beyond the limit are not used). */
  readonly fileRows: number | null;
}

/** Which linear layers and norms have biases. */
export interface EncoderBiases {
  readonly attention: boolean;
  readonly mlp: boolean;
  readonly norm: boolean;
  readonly headDense: boolean;
}

/** Names of a family's modules; `#` is the layer. `Wqkv[1/3]`: the module is packed, this is the part after the first of three. */
type ModuleNames = Readonly<Record<string, string>>;

const BERT: ModuleNames = {
  word: 'embeddings.word_embeddings',
  position: 'embeddings.position_embeddings',
  token_type: 'embeddings.token_type_embeddings',
  embed_norm: 'embeddings.LayerNorm',
  q: 'encoder.layer.#.attention.self.query',
  k: 'encoder.layer.#.attention.self.key',
  v: 'encoder.layer.#.attention.self.value',
  out: 'encoder.layer.#.attention.output.dense',
  attention_norm: 'encoder.layer.#.attention.output.LayerNorm',
  up: 'encoder.layer.#.intermediate.dense',
  down: 'encoder.layer.#.output.dense',
  mlp_norm: 'encoder.layer.#.output.LayerNorm',
  'head.dense': 'pooler.dense',
  'head.out': 'classifier',
};

const FAIRSEQ_HEAD: ModuleNames = { 'head.dense': 'classifier.dense', 'head.out': 'classifier.out_proj' };

const NAMES: Readonly<Record<EncoderFamily, ModuleNames>> = {
  bert: BERT,
  roberta: { ...BERT, ...FAIRSEQ_HEAD },
  mpnet: {
    ...BERT,
    ...FAIRSEQ_HEAD,
    relative: 'encoder.relative_attention_bias',
    q: 'encoder.layer.#.attention.attn.q',
    k: 'encoder.layer.#.attention.attn.k',
    v: 'encoder.layer.#.attention.attn.v',
    out: 'encoder.layer.#.attention.attn.o',
    attention_norm: 'encoder.layer.#.attention.LayerNorm',
  },
  distilbert: {
    word: 'embeddings.word_embeddings',
    position: 'embeddings.position_embeddings',
    embed_norm: 'embeddings.LayerNorm',
    q: 'transformer.layer.#.attention.q_lin',
    k: 'transformer.layer.#.attention.k_lin',
    v: 'transformer.layer.#.attention.v_lin',
    out: 'transformer.layer.#.attention.out_lin',
    attention_norm: 'transformer.layer.#.sa_layer_norm',
    up: 'transformer.layer.#.ffn.lin1',
    down: 'transformer.layer.#.ffn.lin2',
    mlp_norm: 'transformer.layer.#.output_layer_norm',
    'head.dense': 'pre_classifier',
    'head.out': 'classifier',
  },
  nomic_bert: {
    word: 'embeddings.word_embeddings',
    token_type: 'embeddings.token_type_embeddings',
    embed_norm: 'emb_ln',
    q: 'encoder.layers.#.attn.Wqkv[0/3]',
    k: 'encoder.layers.#.attn.Wqkv[1/3]',
    v: 'encoder.layers.#.attn.Wqkv[2/3]',
    out: 'encoder.layers.#.attn.out_proj',
    attention_norm: 'encoder.layers.#.norm1',
    up: 'encoder.layers.#.mlp.fc11',
    gate: 'encoder.layers.#.mlp.fc12',
    down: 'encoder.layers.#.mlp.fc2',
    mlp_norm: 'encoder.layers.#.norm2',
    'head.dense': 'pooler.dense',
    'head.out': 'classifier',
  },
  modernbert: {
    word: 'embeddings.tok_embeddings',
    embed_norm: 'embeddings.norm',
    q: 'layers.#.attn.Wqkv[0/3]',
    k: 'layers.#.attn.Wqkv[1/3]',
    v: 'layers.#.attn.Wqkv[2/3]',
    out: 'layers.#.attn.Wo',
    attention_norm: 'layers.#.attn_norm',
    gate: 'layers.#.mlp.Wi[0/2]',
    up: 'layers.#.mlp.Wi[1/2]',
    down: 'layers.#.mlp.Wo',
    mlp_norm: 'layers.#.mlp_norm',
    final_norm: 'final_norm',
    'head.dense': 'head.dense',
    'head.norm': 'head.norm',
    'head.out': 'classifier',
  },
};

interface Module {
  readonly module: string;
  readonly layer: number | null;
  readonly shape: readonly number[];
  readonly bias: boolean;
}

/** Every tensor of this model by canonical name. */
export function tensorPlaces(config: EncoderConfig, biases: EncoderBiases): ReadonlyMap<string, TensorPlace> {
  const names = NAMES[config.family];
  const places = new Map<string, TensorPlace>();
  for (const { module, layer, shape, bias } of modulesOf(config, biases)) {
    const pattern = names[module] ?? bug(`The family ${config.family} has no name for ${module}.`);
    const { name, fromRow, fileRows } = placeOf(pattern.replace('#', String(layer)), shape[0] ?? 0);
    const canonical = layer === null ? module : `layers.${layer}.${module}`;
    places.set(`${canonical}.weight`, { shape, name: `${name}.weight`, fromRow, fileRows: module === 'position' ? null : fileRows });
    if (bias) places.set(`${canonical}.bias`, { shape: shape.slice(0, 1), name: `${name}.bias`, fromRow, fileRows });
  }
  return places;
}

function placeOf(pattern: string, rows: number): Omit<TensorPlace, 'shape'> {
  const [, name, part = '0', parts = '1'] = /^(.*)\[(\d)\/(\d)\]$/.exec(pattern) ?? [null, pattern];
  return { name: name ?? pattern, fromRow: Number(part) * rows, fileRows: Number(parts) * rows };
}

function* modulesOf(config: EncoderConfig, biases: EncoderBiases): Generator<Module> {
  yield* embeddingModules(config, biases);
  for (let layer = 0; layer < config.layerCount; layer++)
    for (const module of layerModules(config, biases, layer)) yield { ...module, layer };
  if (config.normPlacement === 'pre') yield { module: 'final_norm', layer: null, shape: [config.hiddenSize], bias: biases.norm };
  yield* headModules(config, biases);
}

function* embeddingModules(
  { hiddenSize, vocabSize, contextLength, positions, ...config }: EncoderConfig,
  biases: EncoderBiases,
): Generator<Module> {
  const table = (module: string, rows: number, width = hiddenSize): Module => ({ module, layer: null, shape: [rows, width], bias: false });
  yield table('word', vocabSize);
  if (positions.kind !== 'rope') yield table('position', contextLength + positions.skippedRows);
  if (positions.kind === 'learned_and_relative') yield table('relative', positions.bucketCount, config.headCount);
  if (config.tokenTypeCount > 0) yield table('token_type', config.tokenTypeCount);
  yield { module: 'embed_norm', layer: null, shape: [hiddenSize], bias: biases.norm };
}

function layerModules(config: EncoderConfig, biases: EncoderBiases, layer: number): readonly Omit<Module, 'layer'>[] {
  const { hiddenSize: hidden, intermediateSize: inner } = config;
  const heads = config.headCount * config.headDim;
  const norm = (module: string): Omit<Module, 'layer'> => ({ module, shape: [hidden], bias: biases.norm });
  return [
    ...(config.layers[layer]?.attentionNorm === true ? [norm('attention_norm')] : []),
    ...['q', 'k', 'v'].map((module) => ({ module, shape: [heads, hidden], bias: biases.attention })),
    { module: 'out', shape: [hidden, heads], bias: biases.attention },
    norm('mlp_norm'),
    ...(config.gatedMlp ? [{ module: 'gate', shape: [inner, hidden], bias: biases.mlp }] : []),
    { module: 'up', shape: [inner, hidden], bias: biases.mlp },
    { module: 'down', shape: [hidden, inner], bias: biases.mlp },
  ];
}

function* headModules({ head, hiddenSize: hidden, normPlacement }: EncoderConfig, biases: EncoderBiases): Generator<Module> {
  if (head.kind === 'embedding') return;
  yield { module: 'head.dense', layer: null, shape: [hidden, hidden], bias: biases.headDense };
  if (normPlacement === 'pre') yield { module: 'head.norm', layer: null, shape: [hidden], bias: biases.norm };
  yield { module: 'head.out', layer: null, shape: [head.labels.length, hidden], bias: true };
}
