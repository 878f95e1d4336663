// Owns reading a Hugging Face folder of an encoder (config.json, safetensors, tokenizer.json, sentence-transformers' files).
import { basename, join, resolve } from 'node:path';
import { EngineError } from '../../../errors.ts';
import type { EncoderConfig, EncoderFamily } from '../../manifest.ts';
import { prevailingType, weightCount } from '../file-tensor.ts';
import { readJsonFile, type JsonFields } from '../json-fields.ts';
import { licenceOf } from '../safetensors/licence.ts';
import { openShards } from '../safetensors/shards.ts';
import { readTokenizerJson } from '../safetensors/tokenizer.ts';
import type { SourceTensor, TensorSource } from '../tensors.ts';
import { classificationHead } from './classification.ts';
import { checkEncoderConfig } from './check-config.ts';
import { encoderFacts, encoderFamily } from './facts.ts';
import { placedTensors, plainNames } from './placed-tensors.ts';
import { embeddingHead, isSentenceTransformer, maxSequenceLength } from './sentence-transformers.ts';
import type { EncoderSource } from './source.ts';
import { tensorPlaces, type EncoderBiases } from './tensor-places.ts';

const MAX_CONFIG_BYTES = 8 << 20;
/** Attention holds the scores of all heads at once, tokens by tokens; a longer text would take more memory than a model. */
const MAX_SCORE_BYTES = 1 << 30;
const SCORE_BYTES = 4;

/** Whether the folder's config.json names an encoder of a family known here. */
export function isEncoderFolder(folder: string): boolean {
  const config = readJsonFile(join(folder, 'config.json'), MAX_CONFIG_BYTES);
  return config !== null && encoderFamily(config) !== null;
}

/** The files stay open until `tensors.dispose()`. Throws `model_file_invalid` or `unsupported_model`, and closes them then. */
export function readEncoderFolder(folder: string): EncoderSource {
  const config = readJsonFile(join(folder, 'config.json'), MAX_CONFIG_BYTES);
  const family = config === null ? null : encoderFamily(config);
  if (config === null || family === null) throw new EngineError('unsupported_model', 'The folder holds no encoder of a known family.');
  const source = openShards(folder);
  try {
    return readModel({ folder, config, family, source });
  } catch (cause) {
    source.dispose();
    throw cause;
  }
}

interface OpenFolder {
  readonly folder: string;
  readonly config: JsonFields;
  readonly family: EncoderFamily;
  readonly source: TensorSource;
}

function readModel({ folder, config: stated, family, source }: OpenFolder): EncoderSource {
  const inFile = plainNames(source.tensors);
  const config = encoderConfig({ folder, config: stated, family, source }, inFile);
  const tensors = placedTensors(tensorPlaces(config, biasesOf(family, stated)), inFile);
  return {
    kind: 'encoder',
    tensors: { tensors, dispose: () => source.dispose() },
    config,
    tokenizerJson: { ...readTokenizerJson(folder), truncation: null, padding: null },
    licence: licenceOf(folder),
    parameterCount: [...tensors.values()].reduce((sum, tensor) => sum + weightCount(tensor.shape), 0),
    name: basename(resolve(folder)),
    defaultSourceType: prevailingType(tensors.values()),
  };
}

function encoderConfig({ folder, config, family }: OpenFolder, tensors: ReadonlyMap<string, SourceTensor>): EncoderConfig {
  const facts = encoderFacts(family, config);
  const { hiddenSize, headCount } = facts;
  const word = tensors.get('embeddings.word_embeddings.weight') ?? tensors.get('embeddings.tok_embeddings.weight');
  // A model of sentence-transformers is used as that, whatever head its weights were trained with.
  const head = isSentenceTransformer(folder) ? null : classificationHead(family, config);
  return checkEncoderConfig({
    ...facts,
    headDim: hiddenSize / headCount,
    vocabSize: word?.shape[0] ?? 0,
    contextLength: Math.min(facts.contextLength, maxSequenceLength(folder) ?? Infinity, longestAttended(headCount)),
    head: head ?? embeddingHead(folder, hiddenSize),
  });
}

function longestAttended(headCount: number): number {
  return Math.floor(Math.sqrt(MAX_SCORE_BYTES / SCORE_BYTES / headCount));
}

function biasesOf(family: EncoderFamily, config: JsonFields): EncoderBiases {
  if (family === 'nomic_bert') return { attention: false, mlp: false, norm: true, headDense: true };
  if (family !== 'modernbert') return { attention: true, mlp: true, norm: true, headDense: true };
  return {
    attention: config.boolean('attention_bias') ?? false,
    mlp: config.boolean('mlp_bias') ?? false,
    norm: config.boolean('norm_bias') ?? false,
    headDense: config.boolean('classifier_bias') ?? false,
  };
}
