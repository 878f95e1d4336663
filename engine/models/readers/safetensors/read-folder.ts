// Owns reading a Hugging Face model folder (config.json, safetensors, tokenizer files) into a SourceModel.
import { basename, join, resolve } from 'node:path';
import { EngineError } from '../../../errors.ts';
import { checkTensors } from '../expected-tensors.ts';
import { prevailingType, weightCount } from '../file-tensor.ts';
import { readJsonFile, type JsonFields } from '../json-fields.ts';
import type { SourceModel } from '../source-model.ts';
import type { SourceTensor, TensorSource } from '../tensors.ts';
import { safetensorsConfig, textConfig, tiedEmbeddings } from './config.ts';
import { licenceOf } from './licence.ts';
import { openShards } from './shards.ts';
import { folderTokenizer } from './tokenizer.ts';

const MAX_CONFIG_BYTES = 8 << 20;
/** Parts of multimodal checkpoints that the text model does not use, and buffers that old checkpoints store. */
const UNUSED = /(^|\.)(vision_tower|multi_modal_projector)\.|\.rotary_emb\.inv_freq$/;
/** Where multimodal checkpoints keep the text model. */
const TEXT_MODEL = /^(?:language_model\.(?=model\.|lm_head)|model\.language_model\.(?=.))/;
const EMBEDDINGS = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';

/** The files stay open until `tensors.dispose()`. Throws `model_file_invalid` or `unsupported_model`, and closes them then. */
export function readSafetensorsFolder(folder: string): SourceModel {
  const config = readJsonFile(join(folder, 'config.json'), MAX_CONFIG_BYTES);
  if (config === null) throw new EngineError('unsupported_model', 'The folder has no config.json.');
  const source = openShards(folder);
  try {
    return readModel(folder, config, source);
  } catch (cause) {
    source.dispose();
    throw cause;
  }
}

function readModel(folder: string, whole: JsonFields, source: TensorSource): SourceModel {
  const tensors = canonical(source.tensors);
  if (tiedEmbeddings(whole, tensors.has(HEAD))) tensors.delete(HEAD);
  const config = safetensorsConfig(whole, {
    vocabSize: tensors.get(EMBEDDINGS)?.shape[0] ?? 0,
    hasHead: tensors.has(HEAD),
    hasQkvBias: tensors.has('model.layers.0.self_attn.q_proj.bias'),
  });
  checkTensors(config, tensors);
  return {
    tensors: { tensors, dispose: () => source.dispose() },
    config,
    tokenizer: folderTokenizer(folder, textConfig(whole)),
    qkRowsPermuted: false,
    licence: licenceOf(folder),
    parameterCount: [...tensors.values()].reduce((sum, tensor) => sum + weightCount(tensor.shape), 0),
    name: basename(resolve(folder)),
    defaultSourceType: prevailingType(tensors.values()),
  };
}

function canonical(tensors: ReadonlyMap<string, SourceTensor>): Map<string, SourceTensor> {
  const used = [...tensors].filter(([name]) => !UNUSED.test(name));
  return new Map(used.map(([name, tensor]) => [canonicalName(name), tensor] as const));
}

function canonicalName(name: string): string {
  return name.replace(TEXT_MODEL, (prefix) => (prefix === 'language_model.' ? '' : 'model.'));
}
