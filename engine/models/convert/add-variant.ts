// Owns how an installed model gets a variant more, or a newer one of the same name: made in a folder of its own, then named by one write
// of model.json. Also the float32 graph that variants are measured against. Knows nothing about where the source came from.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { ModelManifest, TextManifest, VariantManifest } from '../manifest.ts';
import type { EncoderSource } from '../readers/encoder/source.ts';
import type { SourceModel } from '../readers/source-model.ts';
import type { ModelStore } from '../store/model-store.ts';
import { syncFolder } from '../store/sync-folder.ts';
import { convertModel, type ConvertRequest } from './install.ts';

export interface AddVariantRequest extends Omit<ConvertRequest, 'outDir'> {
  readonly store: ModelStore;
  /** Of an installed model that this source is of. */
  readonly id: string;
}

const MAKING = '.making-';
/** Folders of variants: those of an installation, and those added later. */
const VARIANT_FOLDER = /^(?:fp32|fp16|int8|int4)(?:-[0-9a-f]{8})?$/;

/** Makes the variants of one precision; they can be asked for by name from then on, and the default is as it was. What interrupted runs
 *  left is removed first, so no other may be under way. Throws `invalid_request` when the source is of another model. */
export async function addVariants(request: AddVariantRequest): Promise<readonly [VariantManifest, ...VariantManifest[]]> {
  const { store, id, ...conversion } = request;
  const modelDir = store.path(id);
  requireSameModel(await store.get(id), conversion.source);
  await sweepVariants(store, id);
  return await inMakingFolder(modelDir, async (making) => {
    const made = await convertModel({ ...conversion, outDir: making });
    const folder = `${conversion.precision}-${randomUUID().slice(0, 8)}`;
    await rename(join(making, dirname(made[0].graphFile)), join(modelDir, folder));
    await syncFolder(modelDir);
    const [first, ...others] = made.map((variant) => movedTo(variant, folder));
    const variants = [first ?? made[0], ...others] as const;
    await store.change(id, (manifest) => ({
      ...manifest,
      variants: { ...manifest.variants, ...Object.fromEntries(variants.map((variant) => [variant.name, variant])) },
    }));
    return variants;
  });
}

export interface ReferenceRequest {
  readonly store: ModelStore;
  readonly id: string;
  /** Opens what the model was made from; asked only where no float32 variant is installed. */
  readonly source: () => Promise<SourceModel | EncoderSource>;
  readonly onProgress?: NonNullable<ConvertRequest['onProgress']>;
  readonly signal?: AbortSignal;
}

/** Hands over the path of the model's float32 graph; one that has to be made is gone afterwards. */
export async function withReference<T>({ store, id, source, ...rest }: ReferenceRequest, use: (path: string) => Promise<T>): Promise<T> {
  const modelDir = store.path(id);
  const installed = (await store.get(id)).variants['fp32'];
  if (installed !== undefined) return await use(join(modelDir, installed.graphFile));
  return await inMakingFolder(modelDir, async (making) => {
    const [{ graphFile }] = await convertModel({ ...rest, source: await source(), precision: 'fp32', outDir: making });
    return await use(join(making, graphFile));
  });
}

/** Removes what no variant needs any more. On a system that keeps mapped files a later run removes them. */
export async function sweepVariants(store: ModelStore, id: string): Promise<void> {
  const modelDir = store.path(id);
  const used = new Set(Object.values((await store.get(id)).variants).map(({ graphFile }) => dirname(graphFile)));
  const names = (await readdir(modelDir)).filter((name) => name.startsWith(MAKING) || (VARIANT_FOLDER.test(name) && !used.has(name)));
  await Promise.allSettled(names.map((name) => rm(join(modelDir, name), { recursive: true, force: true })));
}

async function inMakingFolder<T>(modelDir: string, work: (folder: string) => Promise<T>): Promise<T> {
  const making = join(modelDir, `${MAKING}${randomUUID()}`);
  await mkdir(making);
  try {
    return await work(making);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

function movedTo(variant: VariantManifest, folder: string): VariantManifest {
  const moved = (file: string): string => `${folder}/${file.slice(file.indexOf('/') + 1)}`;
  return { ...variant, graphFile: moved(variant.graphFile), weightsFile: moved(variant.weightsFile) };
}

/** @throws EngineError `unsupported_model` for a model that no variant can be made or measured of */
export function textManifest(manifest: ModelManifest): TextManifest {
  if (manifest.kind !== 'infer') return manifest;
  throw new EngineError('unsupported_model', 'An ordinary ONNX model is served as its file is; it has no other variants.', {
    param: 'model',
  });
}

/** A name may stand for other files than it did when the model was installed. */
function requireSameModel(manifest: ModelManifest, source: SourceModel | EncoderSource): void {
  const shape = ({ kind = 'decoder', config }: TextManifest | SourceModel | EncoderSource): string =>
    [kind, config.family, config.layerCount, config.hiddenSize, config.intermediateSize, config.vocabSize].join(' ');
  if (shape(textManifest(manifest)) === shape(source)) return;
  throw new EngineError(
    'invalid_request',
    `What ${manifest.source.reference} gives now is another model than ${manifest.id} (${shape(source)} instead of ${shape(textManifest(manifest))}). Pull it again.`,
    { param: 'model' },
  );
}
