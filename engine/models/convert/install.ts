// Owns how a source becomes an installed model: tokenizer, vocabulary, variants and model.json in one staged folder.
// Knows nothing about where the source came from or how weights are converted.
import { rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { decoderSteps } from '../graph/decoder.ts';
import { MAX_POSITIONS } from '../graph/rope.ts';
import type {
  DecoderManifest,
  EncoderManifest,
  ModelManifest,
  Precision,
  TextManifest,
  TokenizerManifest,
  VariantManifest,
} from '../manifest.ts';
import { encoderPlan } from '../quantise/encoder-plans.ts';
import type { EncoderSource } from '../readers/encoder/source.ts';
import type { SourceModel } from '../readers/source-model.ts';
import type { ModelStore } from '../store/model-store.ts';
import { tokenBytes } from '../store/token-bytes.ts';
import { writeVocab } from '../store/vocab.ts';
import { planFor } from './plan.ts';
import { type ConvertProgress, smallCacheVariant, writeEncoderVariant, writeVariant } from './variant.ts';

const TOKENIZER_FILE = 'tokenizer.json';
const VOCAB_FILE = 'vocab.bin';

export interface ConvertRequest {
  readonly source: SourceModel | EncoderSource;
  readonly precision: Precision;
  /** INT4: round the weights of a 4-bit source anew, instead of keeping them exactly. */
  readonly anew?: boolean;
  /** The model's folder; the variant's own folder is made in it. */
  readonly outDir: string;
  readonly onProgress?: (progress: ConvertProgress) => void;
  readonly signal?: AbortSignal;
}

/** Makes the variants of one precision and returns what model.json says of them: the one named after it, then those that share its
 * weights. Throws `unsupported_model` for a
 * precision this source or machine has no form for, `model_file_invalid` for a faulty source. */
export async function convertModel(request: ConvertRequest): Promise<readonly [VariantManifest, ...VariantManifest[]]> {
  const { precision, outDir, ...rest } = request;
  const { source } = rest;
  if (source.kind === 'encoder') {
    const plan = await encoderPlan({ ...rest, source, precision, threads: availableParallelism() });
    return [await writeEncoderVariant({ ...rest, source, plan, name: precision, modelDir: outDir })];
  }
  const folder = join(outDir, `.preparing-${precision}`);
  try {
    return await convertDecoder({ ...request, source }, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `folder` holds what waits to be written. */
async function convertDecoder(
  request: ConvertRequest & { readonly source: SourceModel },
  folder: string,
): Promise<readonly [VariantManifest, ...VariantManifest[]]> {
  const { precision, outDir, source, onProgress } = request;
  const writing = decoderSteps(source.config.layerCount);
  let prepared = 0;
  const announce = (done: number, total: number): void => onProgress?.({ variant: precision, stepsDone: done, stepsTotal: total });
  // Making the plan can take a run of the model, longer than a first step may stay unannounced.
  announce(0, writing);
  const onLayer = (done: number, of: number): void => {
    prepared = of;
    announce(done, of + writing);
  };
  const plan = await planFor({ ...request, folder, onLayer });
  const onWritten = ({ stepsDone }: ConvertProgress): void => announce(prepared + stepsDone, prepared + writing);
  const variant = await writeVariant({ ...request, plan, name: precision, modelDir: outDir, onProgress: onWritten });
  return plan.cacheScales === null ? [variant] : [variant, smallCacheVariant(variant)];
}

export interface InstallRequest {
  readonly source: SourceModel | EncoderSource;
  readonly store: ModelStore;
  readonly id: string;
  /** Variants to make; the first is the default. */
  readonly precisions: readonly [Precision, ...Precision[]];
  /** Where the source came from, for model.json. */
  readonly origin: ModelManifest['source'];
  readonly onProgress?: (progress: ConvertProgress) => void;
  readonly signal?: AbortSignal;
}

/** Adds a model to the store, or replaces the one of the same id; nothing is visible before all of it is written. */
export async function installModel(request: InstallRequest): Promise<ModelManifest> {
  const staging = await request.store.stage(request.id);
  try {
    const manifest = await fillFolder(request, staging.path);
    await staging.commit(manifest);
    return manifest;
  } catch (error) {
    await staging.discard();
    throw error;
  }
}

async function fillFolder(request: InstallRequest, folder: string): Promise<ModelManifest> {
  const { source, id, precisions, origin } = request;
  const own = source.kind === 'encoder' ? await encoderParts(source, folder) : await decoderParts(source, folder);
  const variants: Record<string, VariantManifest> = {};
  for (const precision of new Set(precisions)) {
    for (const variant of await convertModel({ ...request, precision, outDir: folder })) variants[variant.name] = variant;
  }
  const { licence, parameterCount } = source;
  const createdAt = new Date().toISOString();
  const defaultVariant = precisions[0];
  return { formatVersion: 1, id, createdAt, source: origin, licence, parameterCount, ...own, variants, defaultVariant };
}

type Parts<T extends TextManifest> = Pick<T, 'kind' | 'config' | 'tokenizer'>;

async function decoderParts(source: SourceModel, folder: string): Promise<Parts<DecoderManifest>> {
  const tokenizer = await writeTokenizer(source, folder);
  // The runner must not offer more positions than the graph has tables for.
  const config = { ...source.config, contextLength: Math.min(source.config.contextLength, MAX_POSITIONS) };
  return { kind: 'decoder', config, tokenizer };
}

async function encoderParts({ config, tokenizerJson }: EncoderSource, folder: string): Promise<Parts<EncoderManifest>> {
  await writeFile(join(folder, TOKENIZER_FILE), JSON.stringify(tokenizerJson), { flush: true });
  return { kind: 'encoder', config, tokenizer: { file: TOKENIZER_FILE } };
}

async function writeTokenizer(source: SourceModel, folder: string): Promise<TokenizerManifest> {
  const { tokenizerJson, bosToken, eosTokens, addBos, chatTemplate } = source.tokenizer;
  await writeFile(join(folder, TOKENIZER_FILE), JSON.stringify(tokenizerJson), { flush: true });
  await writeVocab(join(folder, VOCAB_FILE), tokenBytes(tokenizerJson, source.config.vocabSize));
  return { file: TOKENIZER_FILE, vocabFile: VOCAB_FILE, bosToken, eosTokens, addBos, chatTemplate };
}
