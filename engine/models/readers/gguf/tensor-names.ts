// Owns the step from GGUF's tensor names to the canonical ones (Hugging Face's), per family.
// Source of the names: gguf-py/gguf/tensor_mapping.py in github.com/ggml-org/llama.cpp.
import type { DecoderFamily } from '../../manifest.ts';

const MODEL_PARTS = table({
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
});

const LAYER_PARTS = table({
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
});

/** In the sandwich families the norm before the MLP is another one than that after attention. */
const SANDWICH_PARTS = new Map([
  ...LAYER_PARTS,
  ['post_attention_norm', 'post_attention_layernorm'],
  ['ffn_norm', 'pre_feedforward_layernorm'],
  ['post_ffw_norm', 'post_feedforward_layernorm'],
]);

const LAYER_NAME = /^blk\.(\d{1,4})\.([a-z_]+)\.(weight|bias)$/;

/** The canonical name, or the name itself when the family has no such tensor. */
export function canonicalName(family: DecoderFamily, name: string): string {
  const match = LAYER_NAME.exec(name);
  if (match === null) return MODEL_PARTS.get(name) ?? name;
  const parts = family === 'gemma3' ? SANDWICH_PARTS : LAYER_PARTS;
  const part = parts.get(match[2] ?? '');
  return part === undefined ? name : `model.layers.${match[1]}.${part}.${match[3]}`;
}

/** A map and not an object: names come from files, and `constructor` is one. */
function table(parts: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(parts));
}
