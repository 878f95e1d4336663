// Owns the loading of a decoder: from its folder to a session, a vocabulary and a tokenizer, all three at the same time.
// Knows nothing about requests.
import { join } from 'node:path';
import type { DecoderManifest, VariantManifest } from '../models/manifest.ts';
import { externalDataFiles } from '../models/readers/onnx/external-data.ts';
import { Vocab } from '../models/store/vocab.ts';
import { planCapacity, type Capacity } from './capacity.ts';
import type { DecoderSession } from './decoder-session.ts';
import { Grammars } from './grammar/grammars.ts';
import { kvBytesPerToken, OrtDecoder } from './ort-decoder.ts';
import { PromptTokenizer } from './prompt-tokenizer.ts';
import type { RunnerOptions } from './protocol.ts';
import { loadFailure, type ModelToLoad } from './read-model.ts';

export interface LoadedModel {
  readonly manifest: DecoderManifest;
  readonly variant: VariantManifest;
  readonly capacity: Capacity;
  readonly session: DecoderSession;
  readonly vocab: Vocab;
  readonly tokenizer: PromptTokenizer;
  readonly grammars: Grammars;
}

/** @throws EngineError `model_load_failed`, `model_file_invalid`, `insufficient_memory` */
export async function loadModel(options: RunnerOptions, model: Extract<ModelToLoad, { kind: 'decoder' }>): Promise<LoadedModel> {
  const { manifest, variant } = model;
  const tokenizer = startTokenizer(options.modelDir, manifest);
  try {
    const { config } = manifest;
    const capacity = planCapacity(options, { trainedLength: config.contextLength, bytesPerToken: kvBytesPerToken(config, variant.kvType) });
    const vocabFile = join(options.modelDir, manifest.tokenizer.vocabFile);
    const vocabLoad = Vocab.load(vocabFile);
    const session = createSession(options, { manifest, variant, capacity });
    const [vocab] = await Promise.all([vocabLoad, tokenizer.ready]);
    const grammars = new Grammars({ vocabFile, vocab, eosTokens: manifest.tokenizer.eosTokens });
    return { manifest, variant, capacity, session, vocab, tokenizer, grammars };
  } catch (error) {
    tokenizer.dispose();
    throw error;
  }
}

function startTokenizer(modelDir: string, { tokenizer }: DecoderManifest): PromptTokenizer {
  const { file, bosToken, eosTokens, addBos, chatTemplate } = tokenizer;
  return new PromptTokenizer({ file: join(modelDir, file), bosToken, eosToken: eosTokens[0] ?? null, addBos, chatTemplate });
}

function createSession(
  { modelDir, threads }: RunnerOptions,
  { manifest, variant, capacity }: Pick<LoadedModel, 'manifest' | 'variant' | 'capacity'>,
): DecoderSession {
  const graphFile = join(modelDir, variant.graphFile);
  // Native code follows the paths in this file wherever they lead, so they are judged first.
  externalDataFiles(graphFile);
  try {
    return new OrtDecoder({
      graphFile,
      config: manifest.config,
      kvType: variant.kvType,
      threads,
      slotCount: capacity.slotCount,
      capacity: capacity.contextLength,
    });
  } catch (error) {
    throw loadFailure(variant, error);
  }
}
