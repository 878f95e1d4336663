// Writes small GGUF files for tests, valid ones and ones that lie: every count, size and offset can be overridden.

export type Value = string | number | boolean | readonly string[] | { readonly u32: number } | { readonly i32s: readonly number[] };

export interface TensorEntry {
  readonly name: string;
  /** In GGUF's order, columns first. */
  readonly dims: readonly (number | bigint)[];
  /** `ggml_type`; 0 is F32. */
  readonly type: number;
  readonly offset: number | bigint;
}

export interface GgufSpec {
  readonly metadata: readonly (readonly [string, Value])[];
  readonly tensors: readonly TensorEntry[];
  readonly dataBytes: number;
  readonly tensorCount?: bigint;
  readonly pairCount?: bigint;
}

const ALIGNMENT = 32;
const HIDDEN = 16;
const VOCAB = 8;

/** A whole llama of one layer, hidden size 16, that the reader accepts. */
export function tinyLlama(): GgufSpec {
  const shapes: readonly (readonly [string, readonly number[]])[] = [
    ['token_embd.weight', [HIDDEN, VOCAB]],
    ['output_norm.weight', [HIDDEN]],
    ['blk.0.attn_norm.weight', [HIDDEN]],
    ['blk.0.attn_q.weight', [HIDDEN, HIDDEN]],
    ['blk.0.attn_k.weight', [HIDDEN, 8]],
    ['blk.0.attn_v.weight', [HIDDEN, 8]],
    ['blk.0.attn_output.weight', [HIDDEN, HIDDEN]],
    ['blk.0.ffn_norm.weight', [HIDDEN]],
    ['blk.0.ffn_gate.weight', [HIDDEN, 32]],
    ['blk.0.ffn_up.weight', [HIDDEN, 32]],
    ['blk.0.ffn_down.weight', [32, HIDDEN]],
  ];
  let offset = 0;
  const tensors = shapes.map(([name, dims]) => {
    const entry = { name, dims, type: 0, offset };
    offset += Math.ceil(dims.reduce((a, b) => a * b, 4) / ALIGNMENT) * ALIGNMENT;
    return entry;
  });
  return { metadata: LLAMA_METADATA, tensors, dataBytes: offset };
}

const LLAMA_METADATA: GgufSpec['metadata'] = [
  ['general.architecture', 'llama'],
  ['llama.block_count', { u32: 1 }],
  ['llama.context_length', { u32: 64 }],
  ['llama.embedding_length', { u32: HIDDEN }],
  ['llama.feed_forward_length', { u32: 32 }],
  ['llama.attention.head_count', { u32: 2 }],
  ['llama.attention.head_count_kv', { u32: 1 }],
  ['llama.attention.layer_norm_rms_epsilon', 1e-5],
  ['tokenizer.ggml.model', 'gpt2'],
  ['tokenizer.ggml.pre', 'smollm'],
  ['tokenizer.ggml.tokens', ['<|endoftext|>', 'a', 'b', 'c', 'ab', 'abc', 'd', 'e']],
  ['tokenizer.ggml.token_type', { i32s: [3, 1, 1, 1, 1, 1, 1, 1] }],
  ['tokenizer.ggml.merges', ['a b', 'ab c']],
  ['tokenizer.ggml.eos_token_id', { u32: 0 }],
];

/** The spec with one metadata value replaced or added. */
export function withValue(spec: GgufSpec, key: string, value: Value): GgufSpec {
  return { ...spec, metadata: [...spec.metadata.filter(([name]) => name !== key), [key, value]] };
}

/** The spec with one tensor's entry changed. */
export function withTensor(spec: GgufSpec, name: string, change: Partial<TensorEntry>): GgufSpec {
  return { ...spec, tensors: spec.tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor)) };
}

export function encodeGguf(spec: GgufSpec): Uint8Array {
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(spec.tensorCount ?? BigInt(spec.tensors.length)),
    u64(spec.pairCount ?? BigInt(spec.metadata.length)),
    ...spec.metadata.map(([key, value]) => Buffer.concat([text(key), encodeValue(value)])),
    ...spec.tensors.map(encodeTensor),
  ]);
  const padding = Buffer.alloc((ALIGNMENT - (header.length % ALIGNMENT)) % ALIGNMENT);
  return Buffer.concat([header, padding, Buffer.alloc(spec.dataBytes)]);
}

/** Length of the header of `encodeGguf(spec)`, padding left out. */
export function headerBytes(spec: GgufSpec): number {
  return encodeGguf({ ...spec, dataBytes: 0 }).length;
}

function encodeTensor({ name, dims, type, offset }: TensorEntry): Buffer {
  return Buffer.concat([text(name), u32(dims.length), ...dims.map((dim) => u64(BigInt(dim))), u32(type), u64(BigInt(offset))]);
}

function encodeValue(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([u32(8), text(value)]);
  if (typeof value === 'number') return Buffer.concat([u32(6), float(value)]);
  if (typeof value === 'boolean') return Buffer.concat([u32(7), Buffer.from([value ? 1 : 0])]);
  if ('u32' in value) return Buffer.concat([u32(4), u32(value.u32)]);
  if ('i32s' in value) return Buffer.concat([u32(9), u32(5), u64(BigInt(value.i32s.length)), ...value.i32s.map(u32)]);
  return Buffer.concat([u32(9), u32(8), u64(BigInt(value.length)), ...value.map(text)]);
}

function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
}

function float(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeFloatLE(value);
  return out;
}

function u64(value: bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(value);
  return out;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(BigInt(bytes.length)), bytes]);
}
