// Owns what INT4 and INT8 mean on the CPU: the form of each projection, chosen by measured speed and accuracy (see DECISIONS.md).
// Knows nothing about files.
import { DecoderWeights } from '../graph/decoder-weights.ts';
import type { LayerSmoothing, LinearFormat, PrecisionPlan } from '../graph/linear.ts';
import type { SourceModel } from '../readers/source-model.ts';
import type { SourceType } from '../readers/tensors.ts';
import { blockEmbedding, halfEmbedding } from './block-embedding.ts';
import { blockLinear, blocks4Asymmetric, blocks8, exactBlocks } from './block-linear.ts';
import { cacheScales } from './cache-scales.ts';
import { calibrate } from './calibrate.ts';
import { calibrationSequences, calibrationTokens } from './calibration-tokens.ts';
import { compensate } from './compensated.ts';
import { int8Linear } from './int8-linear.ts';
import { ownWords } from './own-words.ts';
import { halfBlocks8 } from './rounded-blocks.ts';
import { inputSpread, type LayerMaxima, smoothLayer } from './smoothing.ts';

/** Stored types of about four bits a weight: rounding them to four bits again would lose quality for nothing. */
const FOUR_BIT_TYPES: ReadonlySet<SourceType> = new Set(['Q4_0', 'Q4_1', 'Q4_K', 'Q2_K', 'Q3_K', 'IQ4_NL', 'IQ4_XS']);

/** The head is a quarter of a small model's work, and four bits there cost quality. */
const HEAD = exactBlocks(blocks8(32));

/** One with the token table where the two are tied. */
const SHARED_HEAD = blockLinear('8-bit blocks of 32', halfBlocks8(32));

const INT8_BODY = blocks8(64);

export interface Int4Request extends CalibratedRequest {
  /** Round the weights of a 4-bit source anew. */
  readonly anew?: boolean;
  /** For what compensation keeps until the variant is written. */
  readonly folder: string;
  readonly onLayer?: (done: number, of: number) => void;
}

/** Above this size compensation would take more than an hour on a few cores. */
const MOST_COMPENSATED = 3e9;

/** A 4-bit source keeps its blocks exactly; any other is rounded with its errors compensated, or plainly where that would take too long. */
export async function int4Plan(request: Int4Request): Promise<PrecisionPlan> {
  const { defaultSourceType, parameterCount } = request.source;
  const isExact = FOUR_BIT_TYPES.has(defaultSourceType) && request.anew !== true;
  const plan = isExact
    ? uniformPlan({ precision: 'int4', method: `${defaultSourceType} blocks mapped exactly`, body: exactBlocks(blocks8(32)) })
    : parameterCount > MOST_COMPENSATED
      ? uniformPlan({ precision: 'int4', method: `${PLAIN_INT4.name}, head in 8-bit blocks`, body: PLAIN_INT4 })
      : await compensatedInt4(request);
  return { ...plan, cacheScales: cacheScales(await calibrateOnOwnText(request), () => null) };
}

const PLAIN_INT4 = blocks4Asymmetric(32);

/** What the three inputs of attention lose is half of all that four bits lose, at a sixth of the weights: they keep eight. */
async function compensatedInt4({ source, threads, folder, onLayer, signal }: Int4Request): Promise<PrecisionPlan> {
  const { layerCount } = source.config;
  const stop = signal === undefined ? {} : { signal };
  const own = await ownWords({ source, plan: blocks8Plan(32), folder, threads, ...stop });
  const format = await compensate({
    weights: new DecoderWeights(source, () => null),
    sequences: [...calibrationSequences(source), ...own],
    layoutOf: (projection) => ({ bits: projection === 'qkv' ? 8 : 4, blockSize: 32 }),
    folder,
    threads,
    onLayer: (done) => onLayer?.(done, layerCount),
    ...stop,
  });
  return {
    precision: 'int4',
    method: '4-bit blocks of 32 with errors compensated (GPTQ), the inputs of attention, table and head in 8-bit blocks',
    embedding: halfEmbedding,
    format: (layer, projection) => (layer === null || projection === 'head' ? SHARED_HEAD : format(layer, projection)),
    smoothing: () => null,
    cacheScales: null,
  };
}

/** 8-bit weights in blocks; activations are rounded within each block. */
export function blocks8Plan(blockSize: number): PrecisionPlan {
  const body = blocks8(blockSize);
  return uniformPlan({ precision: 'int8', method: body.name, body });
}

function uniformPlan(options: Pick<PrecisionPlan, 'precision' | 'method'> & { readonly body: LinearFormat }): PrecisionPlan {
  const { precision, method, body } = options;
  return {
    precision,
    method,
    embedding: blockEmbedding,
    format: (_layer, projection) => (projection === 'head' ? HEAD : body),
    smoothing: () => null,
    cacheScales: null,
  };
}

/** A plan that takes a run of the model over the product's own text. */
export interface CalibratedRequest {
  readonly source: SourceModel;
  readonly threads: number;
  readonly signal?: AbortSignal;
}

function calibrateOnOwnText({ source, threads, signal }: CalibratedRequest): Promise<readonly LayerMaxima[]> {
  const tokens = calibrationTokens(source);
  return calibrate({ source, plan: blocks8Plan(32), tokens, threads, ...(signal === undefined ? {} : { signal }) });
}

/** Above this spread of its smoothed inputs a projection loses too much with one activation scale a row. */
const SPREAD_LIMIT = 2.5;

/** SmoothQuant-calibrated on the product's own text, which takes a run of the model. Gate and up, half of the weights, multiply
 * integers by integers wherever their inputs allow it; the other projections have a scale a block on both sides. */
export async function int8Plan(request: CalibratedRequest): Promise<PrecisionPlan> {
  const maxima = await calibrateOnOwnText(request);
  const plain = new DecoderWeights(request.source, () => null);
  const layers = maxima.map((layer, index) => {
    const smoothing = smoothLayer(plain, index, layer);
    return { smoothing, gateUp: inputSpread(layer.gateUp, smoothing.gateUp) > SPREAD_LIMIT ? INT8_BODY : int8Linear };
  });
  const smoothing = (layer: number): LayerSmoothing | null => layers[layer]?.smoothing ?? null;
  return {
    precision: 'int8',
    method: 'SmoothQuant; gate and up with 8-bit weights and activations, the rest in 8-bit blocks',
    embedding: blockEmbedding,
    format: (layer, projection) => {
      if (layer === null) return HEAD;
      return projection === 'gate_up' ? (layers[layer]?.gateUp ?? INT8_BODY) : INT8_BODY;
    },
    smoothing,
    cacheScales: cacheScales(maxima, smoothing),
  };
}
