// Owns how an ordinary ONNX file becomes an installed model: judged, copied with its weights as it is, loaded once to learn what it takes.
// Knows nothing about where the file came from.
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../../errors.ts';
import { OrtError } from '../../ort/index.ts';
import { GRAPH_VERSION, type InferManifest, type ModelManifest, type Precision, type VariantManifest } from '../manifest.ts';
import { externalDataFiles } from '../readers/onnx/external-data.ts';
import { inspectOnnx } from '../readers/onnx/inspect.ts';
import type { ModelStore, StagingFolder } from '../store/model-store.ts';
import { OnnxSession } from './onnx-session.ts';
import { probeBatching } from './probe-batching.ts';
import type { InferConfig } from './tensors.ts';

export interface OnnxInstall {
  /** The .onnx file. */
  readonly path: string;
  readonly store: ModelStore;
  readonly id: string;
  readonly origin: ModelManifest['source'];
  readonly signal?: AbortSignal;
}

const VARIANT = 'onnx';
const OF_TEXTS = /\.(gguf|safetensors)$/i;

/** The ONNX file that this path means: itself, or a folder's `model.onnx` or only one; null for anything else. */
export function findOnnxFile(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found !== undefined && isOnnx(path) ? path : null;
  const names = readdirSync(path);
  const files = names.filter(isOnnx);
  const file = files.includes('model.onnx') ? 'model.onnx' : files.length === 1 ? files[0] : undefined;
  return file === undefined || names.some((name) => OF_TEXTS.test(name)) ? null : join(path, file);
}

const isOnnx = (name: string): boolean => name.toLowerCase().endsWith('.onnx');

/** Adds the model to the store, or replaces the one of its id. @throws EngineError `model_file_invalid`, `unsupported_model` */
export async function installOnnx(request: OnnxInstall): Promise<InferManifest> {
  const { path, store, id } = request;
  const weights = externalDataFiles(path);
  const { parameterCount } = inspectOnnx(path);
  const staging = await store.stage(id);
  try {
    const files = await copyFiles({ path, weights, staging, signal: request.signal });
    const config = await learn(join(staging.path, files.graphFile));
    const variant = variantOf(files, parameterCount);
    const manifest: InferManifest = {
      formatVersion: 1,
      kind: 'infer',
      id,
      createdAt: new Date().toISOString(),
      source: request.origin,
      licence: null,
      parameterCount,
      config,
      variants: { [VARIANT]: variant },
      defaultVariant: VARIANT,
    };
    await staging.commit(manifest);
    return manifest;
  } catch (error) {
    await staging.discard();
    throw error;
  }
}

interface Copying {
  readonly path: string;
  /** Relative to the file's folder, none outside it. */
  readonly weights: readonly string[];
  readonly staging: StagingFolder;
  readonly signal: AbortSignal | undefined;
}

type CopiedFiles = Pick<VariantManifest, 'graphFile' | 'weightsFile' | 'sizeBytes'>;

/** Weights keep their names, which the graph spells. */
async function copyFiles({ path, weights, staging, signal }: Copying): Promise<CopiedFiles> {
  const name = weights.includes('model.onnx') ? basename(path) : 'model.onnx';
  const copies = [[path, name] as const, ...weights.map((file) => [join(dirname(path), file), file] as const)];
  let sizeBytes = 0;
  for (const [from, to] of copies) {
    signal?.throwIfAborted();
    const target = join(staging.path, VARIANT, to);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(from, target);
    sizeBytes += (await stat(target)).size;
  }
  // What was judged may have been exchanged before it was copied.
  const graphFile = join(staging.path, VARIANT, name);
  externalDataFiles(graphFile);
  inspectOnnx(graphFile);
  return { graphFile: `${VARIANT}/${name}`, weightsFile: `${VARIANT}/${weights[0] ?? name}`, sizeBytes };
}

async function learn(graphFile: string): Promise<InferConfig> {
  try {
    using session = new OnnxSession(graphFile, availableParallelism());
    const { inputs, outputs, omittedOutputs } = session;
    return { inputs, outputs, omittedOutputs, batching: await probeBatching(session) };
  } catch (error) {
    if (!(error instanceof OrtError)) throw error;
    throw new EngineError('unsupported_model', `ONNX Runtime does not load this model: ${error.message}`, { cause: error });
  }
}

function variantOf(files: CopiedFiles, parameterCount: number): VariantManifest {
  const bitsPerWeight = parameterCount === 0 ? 32 : (files.sizeBytes * 8) / parameterCount;
  return {
    ...files,
    name: VARIANT,
    precision: precisionOf(bitsPerWeight),
    graphVersion: GRAPH_VERSION,
    bitsPerWeight,
    method: 'the ONNX file as it is',
    kvType: 'f32',
  };
}

/** A graph may mix types; the size tells which one most of it has. */
function precisionOf(bitsPerWeight: number): Precision {
  if (bitsPerWeight >= 24) return 'fp32';
  if (bitsPerWeight >= 12) return 'fp16';
  return bitsPerWeight >= 6 ? 'int8' : 'int4';
}
