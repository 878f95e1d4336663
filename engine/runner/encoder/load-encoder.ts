// Owns the loading of an encoder: from its folder to a session, a tokenizer, and what batches cost on this machine.
// Knows nothing about requests.
import { join } from 'node:path';
import { externalDataFiles } from '../../models/readers/onnx/external-data.ts';
import { systemMemory } from '../../ort/index.ts';
import { DEFAULT_BATCHING, type EncoderInfo, type RunnerOptions } from '../protocol.ts';
import { loadFailure, type ModelToLoad } from '../read-model.ts';
import { calibrate } from './calibrate.ts';
import { fitCost, tokenBudget } from './cost.ts';
import { EncoderRunner, type EncoderRunnerPort } from './encoder-runner.ts';
import { EncoderTokenizer } from './encoder-tokenizer.ts';
import { OrtEncoder } from './ort-encoder.ts';

/** Longest time that the start waits for measurements. */
const CALIBRATION_MS = 300;

export interface LoadedEncoder {
  readonly runner: EncoderRunner;
  readonly info: EncoderInfo;
  readonly maxTokens: number;
  readonly maxBatchSize: number;
}

/** @throws EngineError `model_load_failed`, `model_file_invalid` */
export async function loadEncoder(
  options: RunnerOptions,
  { manifest, variant }: Extract<ModelToLoad, { kind: 'encoder' }>,
  port: EncoderRunnerPort,
): Promise<LoadedEncoder> {
  const { config } = manifest;
  const maxTokens = Math.min(options.contextLength ?? config.contextLength, config.contextLength);
  const tokenizer = new EncoderTokenizer({ file: join(options.modelDir, manifest.tokenizer.file), maxTokens, vocabSize: config.vocabSize });
  try {
    const session = createSession(options, { manifest, variant });
    const cost = fitCost(await calibrate({ session, maxTokens, token: 0, limitMs: CALIBRATION_MS, now: () => performance.now() }));
    const limits = { ...(options.batching ?? DEFAULT_BATCHING), tokenBudget: tokenBudget(cost, maxTokens) };
    await tokenizer.ready;
    // The measurements ran larger batches than many a server ever sees.
    systemMemory().trim();
    const runner = new EncoderRunner({ session, tokenizer, cost, limits, maxRequests: options.maxWaiting }, port);
    return { runner, maxTokens, maxBatchSize: limits.maxBatchSize, info: { width: session.width, tokenBudget: limits.tokenBudget } };
  } catch (error) {
    tokenizer.dispose();
    throw error;
  }
}

function createSession(
  { modelDir, threads }: RunnerOptions,
  { manifest, variant }: Pick<Extract<ModelToLoad, { kind: 'encoder' }>, 'manifest' | 'variant'>,
): OrtEncoder {
  const graphFile = join(modelDir, variant.graphFile);
  externalDataFiles(graphFile);
  try {
    return new OrtEncoder({ graphFile, config: manifest.config, threads });
  } catch (error) {
    throw loadFailure(variant, error);
  }
}
