// Owns calibration: the model reads a text, and the largest magnitude of every projection's input channels is kept.
// Knows nothing about what the maxima are for.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bug } from '../../errors.ts';
import { OrtTensor } from '../../ort/index.ts';
import { writeVariant } from '../convert/variant.ts';
import type { LinearFormat, PrecisionPlan } from '../graph/linear.ts';
import { DataType } from '../graph/onnx.ts';
import type { SourceModel } from '../readers/source-model.ts';
import { PromptRun } from './prompt-run.ts';
import type { LayerMaxima } from './smoothing.ts';

export interface CalibrationRequest {
  readonly source: Pick<SourceModel, 'tensors' | 'config' | 'qkRowsPermuted' | 'parameterCount'>;
  /** Forms to calibrate with, near enough to float32. */
  readonly plan: PrecisionPlan;
  readonly tokens: Int32Array;
  readonly threads: number;
  readonly signal?: AbortSignal;
}

const CHUNK_TOKENS = 128;

/** Maxima of every layer, in order. Writes a graph to the system's temporary folder meanwhile. */
export async function calibrate(request: CalibrationRequest): Promise<readonly LayerMaxima[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-calibration-'));
  try {
    const widths = new Map<string, number>();
    const plan = observedPlan(request.plan, widths);
    const { graphFile } = await writeVariant({ ...request, plan, name: 'observed', modelDir: folder });
    return await readMaxima(join(folder, graphFile), request, widths);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same plan, with an output for the maxima of each input; `widths` gets every output's name and length. */
function observedPlan(plan: PrecisionPlan, widths: Map<string, number>): PrecisionPlan {
  return {
    ...plan,
    format(layer, projection) {
      const format = plan.format(layer, projection);
      return layer === null ? format : observed(format, { output: `maxima.${layer}.${projection}`, widths, axes: [0, 1] });
    },
  };
}

export interface Observation {
  /** Name of the graph's output. */
  readonly output: string;
  /** Gets the output's name and length. */
  readonly widths: Map<string, number>;
  /** Dimensions of the input that are not its channels. */
  readonly axes: readonly number[];
}

/** The same form, with an output for the maxima of its input's channels. */
export function observed(format: LinearFormat, { output, widths, axes }: Observation): LinearFormat {
  return {
    ...format,
    emit(b, x, weights, out) {
      const magnitudes = b.node({ op: 'Abs', inputs: [x], outputs: [`${output}.magnitudes`] });
      b.node({ op: 'ReduceMax', inputs: [magnitudes, b.int64(...axes)], outputs: [output], attributes: { keepdims: 0 } });
      b.output(output, DataType.float32, [weights.inFeatures]);
      widths.set(output, weights.inFeatures);
      return format.emit(b, x, weights, out);
    },
  };
}

async function readMaxima(
  graphPath: string,
  request: CalibrationRequest,
  widths: ReadonlyMap<string, number>,
): Promise<readonly LayerMaxima[]> {
  const { source, tokens, threads, signal } = request;
  using run = new PromptRun({ graphPath, config: source.config, capacity: tokens.length, threads });
  const maxima = new Map(Array.from(widths, ([name, width]) => [name, new Float32Array(width)]));
  const seen = new Map(Array.from(widths, ([name, width]) => [name, new Float32Array(width)]));
  const outputs = Object.fromEntries(Array.from(seen, ([name, values]) => [name, OrtTensor.over(values, [values.length])]));
  for (let from = 0; from < tokens.length; from += CHUNK_TOKENS) {
    signal?.throwIfAborted();
    await run.append(tokens.subarray(from, from + CHUNK_TOKENS), outputs);
    for (const [name, values] of seen) maxima.get(name)?.forEach((value, at, all) => (all[at] = Math.max(value, values[at] ?? 0)));
  }
  for (const tensor of Object.values(outputs)) tensor.dispose();
  return layerMaxima(maxima, run);
}

function layerMaxima(maxima: ReadonlyMap<string, Float32Array>, run: PromptRun): LayerMaxima[] {
  const of = (layer: number, projection: string): Float32Array =>
    maxima.get(`maxima.${layer}.${projection}`) ?? bug(`Layer ${layer} was not calibrated.`);
  return Array.from({ length: run.config.layerCount }, (_, layer) => ({
    qkv: of(layer, 'qkv'),
    attnOut: of(layer, 'attn_out'),
    gateUp: of(layer, 'gate_up'),
    down: of(layer, 'down'),
    keys: run.cacheMaxima(layer, 'k'),
    values: run.cacheMaxima(layer, 'v'),
  }));
}
