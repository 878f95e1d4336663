// Owns reading one GGUF file into a SourceModel.
// Order: header and its checks, tensors by canonical name, config, shape checks, tokenizer.
import { basename } from 'node:path';
import { FileTensor, prevailingType, weightCount } from '../file-tensor.ts';
import { checkTensors } from '../expected-tensors.ts';
import { RandomFile } from '../random-file.ts';
import type { SourceModel } from '../source-model.ts';
import type { SourceTensor } from '../tensors.ts';
import { familyOf, ggufConfig, isPermuted } from './config.ts';
import { readGgufHeader, type GgufHeader } from './header.ts';
import { canonicalName } from './tensor-names.ts';
import { ggufTokenizer } from './tokenizer.ts';

/** Part of the rotation, not a weight: factors that divide its frequencies. */
const ROPE_FACTORS = 'rope_freqs.weight';
const EMBEDDINGS = 'model.embed_tokens.weight';

/** The file stays open until `tensors.dispose()`. Throws `model_file_invalid` or `unsupported_model`, and closes the file then. */
export function readGguf(path: string): SourceModel {
  const file = new RandomFile(path);
  try {
    return readModel(file, readGgufHeader(file));
  } catch (cause) {
    file.dispose();
    throw cause;
  }
}

function readModel(file: RandomFile, header: GgufHeader): SourceModel {
  const { metadata } = header;
  const family = familyOf(metadata);
  const all = new Map<string, SourceTensor>();
  for (const info of header.tensors) {
    const name = canonicalName(family, info.name);
    all.set(name, new FileTensor(file, { ...info, name }));
  }
  const ropeFactors = all.get(ROPE_FACTORS)?.readF32(0, 1) ?? null;
  all.delete(ROPE_FACTORS);
  const config = ggufConfig(metadata, {
    vocabSize: all.get(EMBEDDINGS)?.shape[0] ?? 0,
    hasHead: all.has('lm_head.weight'),
    hasQkvBias: all.has('model.layers.0.self_attn.q_proj.bias'),
    ropeFactors: ropeFactors === null ? null : [...ropeFactors],
  });
  checkTensors(config, all);
  return {
    tensors: { tensors: all, dispose: () => file.dispose() },
    config,
    tokenizer: ggufTokenizer(metadata, config.vocabSize),
    qkRowsPermuted: isPermuted(family),
    licence: metadata.string('general.license'),
    parameterCount: [...all.values()].reduce((sum, tensor) => sum + weightCount(tensor.shape), 0),
    name: metadata.string('general.name') ?? basename(file.path, '.gguf'),
    defaultSourceType: prevailingType(all.values()),
  };
}
