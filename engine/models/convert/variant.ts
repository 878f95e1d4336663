// Owns making the files of one variant: graph and weights, staged beside their place and renamed when they are complete.
// Knows nothing about how a precision becomes a plan.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decoderSteps, writeDecoder } from '../graph/decoder.ts';
import { DecoderWeights } from '../graph/decoder-weights.ts';
import { encoderSteps, writeEncoder } from '../graph/encoder/encoder.ts';
import type { EncoderPlan } from '../graph/encoder/graph.ts';
import { EncoderWeights } from '../graph/encoder/weights.ts';
import { GRAPH_VERSION, SMALL_CACHE_SUFFIX, type VariantManifest } from '../manifest.ts';
import { withEightBitCache } from '../graph/kv-cache.ts';
import { GraphBuilder } from '../graph/onnx.ts';
import type { PrecisionPlan } from '../graph/linear.ts';
import type { EncoderSource } from '../readers/encoder/source.ts';
import type { SourceModel } from '../readers/source-model.ts';
import { WeightsFile } from '../graph/weights-file.ts';
import { syncFolder } from '../store/sync-folder.ts';

const GRAPH_FILE = 'graph.onnx';
/** The same weights with an 8-bit KV cache. */
const SMALL_CACHE_GRAPH_FILE = 'graph-kv8.onnx';
const WEIGHTS_FILE = 'weights.bin';

/** Parts of a model written so far: the embedding, each layer, the head. */
export interface ConvertProgress {
  readonly variant: string;
  readonly stepsDone: number;
  readonly stepsTotal: number;
}

/** What happens with every variant, whatever kind of graph it is. */
export interface VariantJob {
  /** Name of the variant and of its folder within `modelDir`. */
  readonly name: string;
  readonly modelDir: string;
  readonly onProgress?: (progress: ConvertProgress) => void;
  /** Checked between layers; when it fires nothing is left behind. */
  readonly signal?: AbortSignal;
}

export interface VariantRequest extends VariantJob {
  readonly source: Pick<SourceModel, 'tensors' | 'config' | 'qkRowsPermuted' | 'parameterCount'>;
  readonly plan: PrecisionPlan;
}

export interface EncoderVariantRequest extends VariantJob {
  readonly source: Pick<EncoderSource, 'tensors' | 'config' | 'parameterCount'>;
  readonly plan: EncoderPlan;
}

/** A graph about to be written. */
interface GraphJob extends VariantJob {
  readonly parameterCount: number;
  readonly plan: Pick<PrecisionPlan, 'precision' | 'method'>;
  readonly stepsTotal: number;
  /** Adds the graph; yields the number of steps done after each. */
  readonly write: (b: GraphBuilder) => Generator<number>;
  /** Of the finished graph: further graphs over the same weights, by their files' names. */
  readonly others: (b: GraphBuilder) => ReadonlyMap<string, GraphBuilder>;
}

/** Writes `<modelDir>/<name>/`, replacing an older one, and returns what model.json says of it. Holds about one slab of one
 * tensor in memory. Throws `model_file_invalid` when tensors are missing or have other shapes than the config says. */
export async function writeVariant(request: VariantRequest): Promise<VariantManifest> {
  const { source, plan } = request;
  const weights = new DecoderWeights(source, (layer) => plan.smoothing(layer));
  const write = (b: GraphBuilder): Generator<number> => writeDecoder({ b, weights, plan });
  const { cacheScales } = plan;
  const others = (b: GraphBuilder): ReadonlyMap<string, GraphBuilder> =>
    new Map(cacheScales === null ? [] : [[SMALL_CACHE_GRAPH_FILE, withEightBitCache(b, source.config, cacheScales)]]);
  const { parameterCount, config } = source;
  return writeGraph({ ...request, parameterCount, stepsTotal: decoderSteps(config.layerCount), write, others });
}

/** The variant beside one whose plan has scales for the cache: the same weights, a quarter of the KV cache. */
export function smallCacheVariant(variant: VariantManifest): VariantManifest {
  const graphFile = `${variant.name}/${SMALL_CACHE_GRAPH_FILE}`;
  const method = `${variant.method}; 8-bit KV cache`;
  return { ...variant, name: `${variant.name}${SMALL_CACHE_SUFFIX}`, graphFile, method, kvType: 'i8' };
}

/** As `writeVariant`, for an encoder. */
export async function writeEncoderVariant(request: EncoderVariantRequest): Promise<VariantManifest> {
  const { source, plan } = request;
  const write = (b: GraphBuilder): Generator<number> => writeEncoder({ b, weights: new EncoderWeights(source), plan });
  return writeGraph({
    ...request,
    parameterCount: source.parameterCount,
    stepsTotal: encoderSteps(source.config.layerCount),
    write,
    others: () => new Map(),
  });
}

async function writeGraph(job: GraphJob): Promise<VariantManifest> {
  const { modelDir, name, plan, parameterCount } = job;
  const staging = join(modelDir, `.variant-${name}-${randomUUID()}`);
  await mkdir(staging, { recursive: true });
  try {
    const sizes = await writeFiles(job, staging);
    await replaceFolder(staging, join(modelDir, name));
    return {
      name,
      precision: plan.precision,
      graphVersion: GRAPH_VERSION,
      graphFile: `${name}/${GRAPH_FILE}`,
      weightsFile: `${name}/${WEIGHTS_FILE}`,
      sizeBytes: sizes.graphBytes + sizes.weightsBytes,
      bitsPerWeight: (sizes.weightsBytes * 8) / parameterCount,
      method: plan.method,
      kvType: 'f32',
    };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function writeFiles(job: GraphJob, folder: string): Promise<{ graphBytes: number; weightsBytes: number }> {
  const { name, stepsTotal, onProgress, signal } = job;
  using file = new WeightsFile(join(folder, WEIGHTS_FILE));
  const b = new GraphBuilder(file, WEIGHTS_FILE);
  for (const stepsDone of job.write(b)) {
    onProgress?.({ variant: name, stepsDone, stepsTotal });
    await nextTurn();
    signal?.throwIfAborted();
  }
  const others = job.others(b);
  file.sync();
  const graph = b.finish();
  await writeFile(join(folder, GRAPH_FILE), graph, { flush: true });
  for (const [name, other] of others) await writeFile(join(folder, name), other.finish(), { flush: true });
  await syncFolder(folder);
  return { graphBytes: graph.length, weightsBytes: file.sizeBytes };
}

async function replaceFolder(from: string, target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await rename(from, target);
  await syncFolder(dirname(target));
}
