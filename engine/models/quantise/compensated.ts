// Owns INT4 made from float32: layer by layer, each projection rounded with its errors compensated (GPTQ) on what the layers before it,
// already rounded, make of a text. One layer's weights are in memory at once; codes wait on disk. Knows nothing about variants.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bug } from '../../errors.ts';
import type { DecoderWeights } from '../graph/decoder-weights.ts';
import { rowSlabs, type LinearFormat, type LinearWeights } from '../graph/linear.ts';
import { blockLinear } from './block-linear.ts';
import type { BlockLayout } from './blocks.ts';
import { inverseFactor, roundRow, type InverseFactor, type RoundedRow, type RowRounding } from './gptq.ts';
import { KeptBlocks } from './kept-blocks.ts';
import { LayerWalk, type LayerFormats, type LayerProjection, type Moments } from './layer-walk.ts';
import { grid4, grid8 } from './weighted-grid.ts';

export interface CompensationRequest {
  readonly weights: DecoderWeights;
  /** What is read meanwhile. */
  readonly sequences: readonly Int32Array[];
  readonly layoutOf: (projection: LayerProjection) => BlockLayout;
  /** A folder for what has to wait: a byte a weight, and the graph of one layer. It must be there as long as the forms are used. */
  readonly folder: string;
  readonly threads: number;
  readonly onLayer?: (layersDone: number) => void;
  readonly signal?: AbortSignal;
}

/** In the order in which a layer computes, so that each reads what those before it, rounded, make. */
const PROJECTIONS: readonly LayerProjection[] = ['qkv', 'attn_out', 'gate_up', 'down'];

/** The forms of all layers. The same request gives the same codes. */
export async function compensate(request: CompensationRequest): Promise<(layer: number, projection: LayerProjection) => LinearFormat> {
  const { weights, sequences, folder, threads, onLayer, signal } = request;
  await mkdir(folder, { recursive: true });
  const walk = new LayerWalk({ weights, sequences, folder, threads });
  const layers: LayerFormats[] = [];
  for (let layer = 0; layer < weights.config.layerCount; layer++) {
    const formats = await compensateLayer(request, walk, layer);
    await walk.advance(layer, formats);
    layers.push(formats);
    onLayer?.(layers.length);
    signal?.throwIfAborted();
  }
  return (layer, projection) => layers[layer]?.[projection] ?? bug(`Layer ${layer} was not compensated.`);
}

async function compensateLayer(
  { weights, layoutOf, folder, signal }: CompensationRequest,
  walk: LayerWalk,
  layer: number,
): Promise<LayerFormats> {
  let formats: LayerFormats = {};
  for (const projection of PROJECTIONS) {
    const layout = layoutOf(projection);
    const linear = weightsOf(weights, layer, projection);
    const kept = new KeptBlocks(join(folder, `${layer}.${projection}.blocks`), layout, linear.inFeatures);
    const moments = await walk.moments(layer, projection, formats);
    signal?.throwIfAborted();
    kept.write(roundedRows(linear, rounding(layout, moments)));
    formats = { ...formats, [projection]: blockLinear(`${layout.bits}-bit blocks of ${layout.blockSize}, compensated`, kept.source()) };
    await nextTurn();
  }
  return formats;
}

function weightsOf(weights: DecoderWeights, layer: number, projection: LayerProjection): LinearWeights {
  if (projection === 'qkv') return weights.qkv(layer);
  if (projection === 'attn_out') return weights.attnOut(layer);
  return projection === 'gate_up' ? weights.gateUp(layer) : weights.down(layer);
}

function* roundedRows(linear: LinearWeights, how: RowRounding): Generator<RoundedRow> {
  const width = linear.inFeatures;
  for (const { from, count } of rowSlabs(linear)) {
    const rows = linear.readF32(from, count);
    for (let row = 0; row < count; row++) yield roundRow(rows.subarray(row * width, (row + 1) * width), how);
  }
}

function rounding({ bits, blockSize }: BlockLayout, { span, sums }: Moments): RowRounding {
  const size = span * span;
  const importance = Float32Array.from({ length: sums.length / span }, (_, channel) => {
    const within = channel % span;
    return sums[Math.floor(channel / span) * size + within * span + within] ?? 0;
  });
  const factors: InverseFactor[] = [];
  for (let from = 0; from < sums.length; from += size) factors.push(inverseFactor(sums.subarray(from, from + size), span));
  const grid: RowRounding['grid'] =
    bits === 8 ? grid8 : (values, start) => grid4(values, importance.subarray(start, start + values.length));
  return { blockSize, factors, grid };
}
