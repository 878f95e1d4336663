// Owns the loading of an ordinary ONNX model: judged again, since native code follows what the file names, then its session.
// Knows nothing about requests.
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import { OnnxSession } from '../../models/infer/onnx-session.ts';
import { externalDataFiles } from '../../models/readers/onnx/external-data.ts';
import { inspectOnnx } from '../../models/readers/onnx/inspect.ts';
import { DEFAULT_BATCHING, type RunnerOptions } from '../protocol.ts';
import { loadFailure, type ModelToLoad } from '../read-model.ts';
import { InferRunner, type InferRunnerPort } from './infer-runner.ts';

export interface LoadedInfer {
  readonly runner: InferRunner;
  /** Of a shared run. */
  readonly maxRows: number;
}

/** @throws EngineError `model_load_failed`, `model_file_invalid`, `unsupported_model` */
export function loadInfer(
  options: RunnerOptions,
  { manifest, variant }: Extract<ModelToLoad, { kind: 'infer' }>,
  port: InferRunnerPort,
): LoadedInfer {
  const graphFile = join(options.modelDir, variant.graphFile);
  externalDataFiles(graphFile);
  inspectOnnx(graphFile);
  const canShare = manifest.config.batching.kind === 'rows';
  const maxRows = canShare ? (options.batching ?? DEFAULT_BATCHING).maxBatchSize : 1;
  try {
    const session = new OnnxSession(graphFile, options.threads);
    return { runner: new InferRunner({ session, limits: { maxRows, canShare }, maxRequests: options.maxWaiting }, port), maxRows };
  } catch (cause) {
    throw cause instanceof EngineError ? cause : loadFailure(variant, cause);
  }
}
