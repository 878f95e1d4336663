// Owns loading: from a model's folder to a session, a vocabulary and a tokenizer, all three at the same time.
// Knows nothing about requests.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EngineError } from '../errors.ts';
import { GRAPH_VERSION, type ModelManifest, type VariantManifest } from '../models/manifest.ts';
import { variantOf } from '../models/store/model-store.ts';
import { parseManifest } from '../models/store/parse-manifest.ts';
import { Vocab } from '../models/store/vocab.ts';
import { planCapacity, type Capacity } from './capacity.ts';
import type { DecoderSession } from './decoder-session.ts';
import { kvBytesPerToken, OrtDecoder } from './ort-decoder.ts';
import { PromptTokenizer } from './prompt-tokenizer.ts';
import type { RunnerOptions } from './protocol.ts';

export interface LoadedModel {
  readonly manifest: ModelManifest;
  readonly variant: VariantManifest;
  readonly capacity: Capacity;
  readonly session: DecoderSession;
  readonly vocab: Vocab;
  readonly tokenizer: PromptTokenizer;
}

/** @throws EngineError `model_load_failed`, `model_file_invalid`, `model_not_found`, `insufficient_memory` */
export async function loadModel(options: RunnerOptions): Promise<LoadedModel> {
  const manifest = await readManifest(options.modelDir);
  const variant = variantOf(manifest, options.variant);
  checkVersion(variant);
  const tokenizer = startTokenizer(options.modelDir, manifest);
  try {
    const { config } = manifest;
    const capacity = planCapacity(options, { trainedLength: config.contextLength, bytesPerToken: kvBytesPerToken(config, variant.kvType) });
    const vocabLoad = Vocab.load(join(options.modelDir, manifest.tokenizer.vocabFile));
    const session = createSession(options, { manifest, variant, capacity });
    const [vocab] = await Promise.all([vocabLoad, tokenizer.ready]);
    return { manifest, variant, capacity, session, vocab, tokenizer };
  } catch (error) {
    tokenizer.dispose();
    throw error;
  }
}

async function readManifest(modelDir: string): Promise<ModelManifest> {
  const text = await readFile(join(modelDir, 'model.json'), 'utf8').catch((error: unknown) => {
    throw new EngineError('model_load_failed', `The model in ${modelDir} cannot be read.`, { cause: error });
  });
  const parsed = parseManifest(basename(modelDir), text);
  if (parsed.kind === 'damaged') throw new EngineError('model_file_invalid', parsed.reason);
  return parsed.manifest;
}

function checkVersion(variant: VariantManifest): void {
  if (variant.graphVersion === GRAPH_VERSION) return;
  const versions = `version ${variant.graphVersion} of the graph format, this program needs ${GRAPH_VERSION}`;
  throw new EngineError('model_load_failed', `The variant ${variant.name} was made for ${versions}. Pull the model again.`);
}

function startTokenizer(modelDir: string, { tokenizer }: ModelManifest): PromptTokenizer {
  const { file, bosToken, eosTokens, addBos, chatTemplate } = tokenizer;
  return new PromptTokenizer({ file: join(modelDir, file), bosToken, eosToken: eosTokens[0] ?? null, addBos, chatTemplate });
}

function createSession(
  { modelDir, threads }: RunnerOptions,
  { manifest, variant, capacity }: Pick<LoadedModel, 'manifest' | 'variant' | 'capacity'>,
): DecoderSession {
  try {
    return new OrtDecoder({
      graphFile: join(modelDir, variant.graphFile),
      config: manifest.config,
      kvType: variant.kvType,
      threads,
      slotCount: capacity.slotCount,
      capacity: capacity.contextLength,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError('model_load_failed', `The variant ${variant.name} cannot be loaded: ${reason}`, { cause: error });
  }
}
