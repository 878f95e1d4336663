// Owns what INT4 and INT8 mean on the CPU: the form of each projection, chosen by measured speed and accuracy (see DECISIONS.md).
// Knows nothing about files.
import { DecoderWeights } from '../graph/decoder-weights.ts';
import type { LayerSmoothing, LinearFormat, PrecisionPlan } from '../graph/linear.ts';
import type { SourceModel } from '../readers/source-model.ts';
import type { SourceType } from '../readers/tensors.ts';
import { blockEmbedding } from './block-embedding.ts';
import { blocks4Asymmetric, blocks8, exactBlocks } from './block-linear.ts';
import { cacheScales } from './cache-scales.ts';
import { calibrate } from './calibrate.ts';
import { calibrationTokens } from './calibration-tokens.ts';
import { int8Linear } from './int8-linear.ts';
import { inputSpread, type LayerMaxima, smoothLayer } from './smoothing.ts';

/** Stored types of about four bits a weight: rounding them to four bits again would lose quality for nothing. */
const FOUR_BIT_TYPES: ReadonlySet<SourceType> = new Set(['Q4_0', 'Q4_1', 'Q4_K', 'Q2_K', 'Q3_K', 'IQ4_NL', 'IQ4_XS']);

/** The head is a quarter of a small model's work, and four bits there cost quality. */
const HEAD = exactBlocks(blocks8(32));

const INT8_BODY = blocks8(64);

/** A 4-bit source keeps its blocks exactly; any other is rounded to asymmetric 4-bit blocks. */
export async function int4Plan(request: CalibratedRequest): Promise<PrecisionPlan> {
  const { defaultSourceType } = request.source;
  const isExact = FOUR_BIT_TYPES.has(defaultSourceType);
  const body = isExact ? exactBlocks(blocks8(32)) : blocks4Asymmetric(32);
  const method = isExact ? `${defaultSourceType} blocks mapped exactly` : `${body.name}, head in 8-bit blocks`;
  const plain = uniformPlan({ precision: 'int4', method, body });
  return { ...plain, cacheScales: cacheScales(await calibrateOnOwnText(request), () => null) };
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
