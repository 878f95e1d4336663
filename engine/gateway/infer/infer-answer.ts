// The answers of the Open Inference Protocol v2: tensors as JSON, and what a model takes and gives. Pure; knows nothing about HTTP.
import type { HostedModel } from '../../fleet/host.ts';
import { valuesOf, type Tensor, type TensorSpec } from '../../models/infer/tensors.ts';
import type { InferManifest } from '../../models/manifest.ts';
import { invalid } from '../openai/faults.ts';
import type { InferBody } from './infer-request.ts';

/**
 * JSON text: whole numbers of 64 bits are written digit by digit, which no JSON value of JavaScript could hold; infinities and NaN,
 * which JSON does not have, are null.
 * @throws EngineError `invalid_request` for more than `mostValues` numbers
 */
export function inferAnswer({ manifest, variant }: HostedModel, { id }: InferBody, outputs: readonly Tensor[], mostValues: number): string {
  const count = outputs.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  if (count > mostValues)
    throw invalid('outputs', `The outputs hold ${count} numbers; at most ${mostValues} are sent. Name fewer outputs, or send fewer rows.`);
  const head = JSON.stringify({ model_name: manifest.id, model_version: variant, ...(id === undefined ? {} : { id }) });
  return `${head.slice(0, -1)},"outputs":[${outputs.map(tensorText).join(',')}]}`;
}

function tensorText({ name, datatype, shape, bytes }: Tensor): string {
  const head = JSON.stringify({ name, datatype, shape });
  return `${head.slice(0, -1)},"data":[${dataText({ datatype, bytes })}]}`;
}

function dataText(tensor: Pick<Tensor, 'datatype' | 'bytes'>): string {
  const values = valuesOf(tensor);
  if (tensor.datatype === 'BOOL') return Array.from(values, Boolean).join(',');
  return Array.from<number | bigint, string>(values, (value) =>
    typeof value === 'bigint' || Number.isFinite(value) ? String(value) : 'null',
  ).join(',');
}

/** A size that the model leaves open is -1. */
export function modelMetadata({ id, config, variants }: InferManifest) {
  return {
    name: id,
    versions: Object.keys(variants),
    platform: 'onnxruntime_onnx',
    inputs: config.inputs.map(tensorMetadata),
    outputs: config.outputs.map(tensorMetadata),
  };
}

function tensorMetadata({ name, datatype, shape }: TensorSpec) {
  return { name, datatype, shape: shape.map((size) => size ?? -1) };
}
