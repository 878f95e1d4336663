// Writes small Hugging Face folders for tests: config.json, safetensors with zero weights, tokenizer files.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Json = Readonly<Record<string, unknown>>;
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** A llama of one layer as transformers 4 writes it. */
export const LLAMA_CONFIG: Json = {
  model_type: 'llama',
  hidden_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  intermediate_size: 32,
  vocab_size: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  eos_token_id: 2,
};

export const LLAMA_SHAPES: Shapes = {
  'model.embed_tokens.weight': [8, 16],
  'model.norm.weight': [16],
  'model.layers.0.input_layernorm.weight': [16],
  'model.layers.0.self_attn.q_proj.weight': [16, 16],
  'model.layers.0.self_attn.k_proj.weight': [8, 16],
  'model.layers.0.self_attn.v_proj.weight': [8, 16],
  'model.layers.0.self_attn.o_proj.weight': [16, 16],
  'model.layers.0.post_attention_layernorm.weight': [16],
  'model.layers.0.mlp.gate_proj.weight': [32, 16],
  'model.layers.0.mlp.up_proj.weight': [32, 16],
  'model.layers.0.mlp.down_proj.weight': [16, 32],
};

export const TOKENIZER: Json = {
  version: '1.0',
  added_tokens: [
    { id: 0, content: '<s>', special: true },
    { id: 2, content: '</s>', special: true },
    { id: 3, content: '<end>', special: true },
  ],
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', use_regex: true },
    ],
  },
  post_processor: null,
  decoder: { type: 'ByteLevel' },
  model: { type: 'BPE', vocab: { a: 1, b: 4, ab: 5 }, merges: [['a', 'b']] },
};

/** Files by name; values that are not bytes are written as JSON. */
export function writeFolder(path: string, files: Readonly<Record<string, Json | Uint8Array | string>>): string {
  mkdirSync(path, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(path, name), content instanceof Uint8Array || typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path;
}

/** A whole small model; `files` replaces and adds. */
export function writeLlama(path: string, files: Readonly<Record<string, Json | Uint8Array | string>> = {}): string {
  return writeFolder(path, {
    'config.json': LLAMA_CONFIG,
    'tokenizer.json': TOKENIZER,
    'model.safetensors': safetensors(LLAMA_SHAPES),
    ...files,
  });
}

/** F32 tensors, all zero, laid one after another. */
export function safetensors(shapes: Shapes): Uint8Array {
  let at = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const begin = at;
    at += shape.reduce((product, dim) => product * dim, 4);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }] as const;
  });
  return withHeader(Object.fromEntries(entries), at);
}

/** A file with this header, whatever it says. */
export function withHeader(header: unknown, dataBytes: number): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(dataBytes)]);
}
