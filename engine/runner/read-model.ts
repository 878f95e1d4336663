// Owns the first step of loading: which model and variant a folder holds, and whether this program can run it.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EngineError } from '../errors.ts';
import {
  GRAPH_VERSION,
  type DecoderManifest,
  type EncoderManifest,
  type InferManifest,
  type ModelManifest,
  type VariantManifest,
} from '../models/manifest.ts';
import { variantOf } from '../models/store/model-store.ts';
import { parseManifest } from '../models/store/parse-manifest.ts';
import type { RunnerOptions } from './protocol.ts';

export type ModelToLoad =
  | { readonly kind: 'decoder'; readonly manifest: DecoderManifest; readonly variant: VariantManifest }
  | { readonly kind: 'encoder'; readonly manifest: EncoderManifest; readonly variant: VariantManifest }
  | { readonly kind: 'infer'; readonly manifest: InferManifest; readonly variant: VariantManifest };

/** @throws EngineError `model_load_failed`, `model_file_invalid`, `model_not_found` */
export async function readModel({ modelDir, variant: name }: Pick<RunnerOptions, 'modelDir' | 'variant'>): Promise<ModelToLoad> {
  const manifest = await readManifest(modelDir);
  const variant = variantOf(manifest, name);
  checkVersion(variant);
  if (manifest.kind === 'infer') return { kind: 'infer', manifest, variant };
  return manifest.kind === 'encoder' ? { kind: 'encoder', manifest, variant } : { kind: 'decoder', manifest, variant };
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

/** The error of a session that cannot be made. */
export function loadFailure(variant: VariantManifest, cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError('model_load_failed', `The variant ${variant.name} cannot be loaded: ${reason}`, { cause });
}
