// Makes a GGUF of a 1B-class llama shape with random weights and the tokenizer of a real model: for speed, where the kernels and not the
// overhead decide. Its text means nothing.
import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { RandomFile } from '../../engine/models/readers/random-file.ts';
import { readGgufHeader } from '../../engine/models/readers/gguf/header.ts';
import type { Metadata } from '../../engine/models/readers/gguf/metadata.ts';
import { type GgufSpec, type TensorEntry, type Value, encodeGguf } from '../models/readers/tiny-gguf.ts';

const SHAPE = { layers: 16, hidden: 2048, intermediate: 8192, heads: 32, kvHeads: 8, headDim: 64, context: 8192 } as const;
const F32 = 0;
const Q8_0 = 8;
/** 32 int8 and a float16 scale (ggml's `block_q8_0`). */
const BLOCK = { weights: 32, bytes: 34 } as const;
/** 2.7e-4 as float16: bytes spread evenly have a deviation of 74, so weights have one of 0.02. */
const SCALE_F16 = 0x0c6d;
const ALIGNMENT = 32;

/** Writes the model to `path`, about 1.1 GB, with the tokenizer of the GGUF `tokenizerOf`. */
export function writeRandomModel(path: string, tokenizerOf: string): void {
  const metadata = readMetadata(tokenizerOf);
  const vocab = metadata.strings('tokenizer.ggml.tokens')?.length ?? 0;
  const tensors = placed(tensorShapes(vocab));
  const spec: GgufSpec = { metadata: [...shapeMetadata(), ...tokenizerMetadata(metadata)], tensors, dataBytes: 0 };
  const out = openSync(path, 'w');
  try {
    writeSync(out, encodeGguf(spec));
    for (const tensor of tensors) writeSync(out, tensorBytes(tensor));
  } finally {
    closeSync(out);
  }
}

function readMetadata(path: string): Metadata {
  const file = new RandomFile(path);
  try {
    return readGgufHeader(file).metadata;
  } finally {
    file.dispose();
  }
}

/** Names and sizes, columns first, as GGUF has them. */
function tensorShapes(vocab: number): readonly (readonly [string, readonly number[]])[] {
  const { layers, hidden, intermediate, heads, kvHeads, headDim } = SHAPE;
  const layer = (i: number): readonly (readonly [string, readonly number[]])[] => [
    [`blk.${i}.attn_norm.weight`, [hidden]],
    [`blk.${i}.attn_q.weight`, [hidden, heads * headDim]],
    [`blk.${i}.attn_k.weight`, [hidden, kvHeads * headDim]],
    [`blk.${i}.attn_v.weight`, [hidden, kvHeads * headDim]],
    [`blk.${i}.attn_output.weight`, [heads * headDim, hidden]],
    [`blk.${i}.ffn_norm.weight`, [hidden]],
    [`blk.${i}.ffn_gate.weight`, [hidden, intermediate]],
    [`blk.${i}.ffn_up.weight`, [hidden, intermediate]],
    [`blk.${i}.ffn_down.weight`, [intermediate, hidden]],
  ];
  return [
    ['token_embd.weight', [hidden, vocab]],
    ['output_norm.weight', [hidden]],
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
  ];
}

function placed(shapes: readonly (readonly [string, readonly number[]])[]): readonly TensorEntry[] {
  let offset = 0;
  return shapes.map(([name, dims]) => {
    const entry = { name, dims, type: dims.length === 1 ? F32 : Q8_0, offset };
    offset += Math.ceil(sizeOf(entry) / ALIGNMENT) * ALIGNMENT;
    return entry;
  });
}

function sizeOf({ dims, type }: TensorEntry): number {
  const count = dims.reduce<number>((product, dim) => product * Number(dim), 1);
  return type === F32 ? count * 4 : (count / BLOCK.weights) * BLOCK.bytes;
}

/** Norms of one; random blocks elsewhere. Padded to the alignment. */
function tensorBytes(tensor: TensorEntry): Buffer {
  const size = sizeOf(tensor);
  const bytes = Buffer.alloc(Math.ceil(size / ALIGNMENT) * ALIGNMENT);
  if (tensor.type === F32) {
    for (let at = 0; at < size; at += 4) bytes.writeFloatLE(1, at);
    return bytes;
  }
  randomFillSync(bytes, 0, size);
  for (let at = 0; at < size; at += BLOCK.bytes) bytes.writeUInt16LE(SCALE_F16, at);
  return bytes;
}

function shapeMetadata(): readonly (readonly [string, Value])[] {
  const { layers, hidden, intermediate, heads, kvHeads, headDim, context } = SHAPE;
  return [
    ['general.architecture', 'llama'],
    ['general.name', 'random 1B'],
    ['llama.block_count', { u32: layers }],
    ['llama.context_length', { u32: context }],
    ['llama.embedding_length', { u32: hidden }],
    ['llama.feed_forward_length', { u32: intermediate }],
    ['llama.attention.head_count', { u32: heads }],
    ['llama.attention.head_count_kv', { u32: kvHeads }],
    ['llama.rope.dimension_count', { u32: headDim }],
    ['llama.attention.layer_norm_rms_epsilon', 1e-5],
  ];
}

function tokenizerMetadata(metadata: Metadata): readonly (readonly [string, Value])[] {
  const text = (key: string): readonly (readonly [string, Value])[] => {
    const value = metadata.string(key);
    return value === null ? [] : [[key, value]];
  };
  const token = (key: string): readonly (readonly [string, Value])[] => {
    const value = metadata.number(key);
    return value === null ? [] : [[key, { u32: value }]];
  };
  return [
    ...text('tokenizer.ggml.model'),
    ...text('tokenizer.ggml.pre'),
    ['tokenizer.ggml.tokens', metadata.strings('tokenizer.ggml.tokens') ?? []],
    ['tokenizer.ggml.token_type', { i32s: Array.from(metadata.numbers('tokenizer.ggml.token_type') ?? []) }],
    ['tokenizer.ggml.merges', metadata.strings('tokenizer.ggml.merges') ?? []],
    ...token('tokenizer.ggml.bos_token_id'),
    ...token('tokenizer.ggml.eos_token_id'),
    ...text('tokenizer.chat_template'),
  ];
}
