// The infer request of the Open Inference Protocol v2 (JSON form): from a body to tensors that fit the model. Pure; knows nothing about HTTP.
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
import { Type, type Static } from 'typebox';
import { byteLengthOf, valuesOf, type Datatype, type InferConfig, type Tensor, type TensorSpec } from '../../models/infer/tensors.ts';
import { invalid } from '../openai/faults.ts';

const parameters = Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Accepted; has no effect on the answer.' }));
const tensorBody = Type.Object({
  name: Type.String(),
  shape: Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 16 }),
  datatype: Type.String({ description: 'BOOL, UINT8 to UINT64, INT8 to INT64, FP16, FP32 or FP64, as the model says.' }),
  parameters,
  data: Type.Union([Type.Array(Type.Unknown()), Type.String()], {
    description:
      'Values in row-major order, flat or nested. An extension: a string is base64 of the little-endian bytes, for large tensors.',
  }),
});
export const inferBody = Type.Object({
  id: Type.Optional(Type.String({ description: 'Given back in the answer.' })),
  parameters,
  inputs: Type.Array(tensorBody, { maxItems: 256 }),
  outputs: Type.Optional(
    Type.Array(Type.Object({ name: Type.String(), parameters }), { minItems: 1, description: 'Which outputs to give; default all.' }),
  ),
});
type TensorBody = Static<typeof tensorBody>;
export type InferBody = Static<typeof inferBody>;

export interface InferAsk {
  /** In the model's order. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly string[];
}

/** @throws EngineError `invalid_request` naming the field and what it should be */
export function readInfer({ inputs, outputs }: InferBody, config: InferConfig): InferAsk {
  const names = config.inputs.map(({ name }) => name);
  inputs.forEach(({ name }, at) => {
    if (!names.includes(name)) throw invalid(`inputs[${at}].name`, `The model has no input ${quoted(name)}; it takes ${listed(names)}.`);
    if (inputs.findIndex((other) => other.name === name) !== at)
      throw invalid(`inputs[${at}].name`, `inputs[${at}].name is ${quoted(name)} a second time.`);
  });
  return {
    inputs: config.inputs.map((spec) => {
      const at = inputs.findIndex(({ name }) => name === spec.name);
      const given = inputs[at];
      if (given === undefined) throw invalid('inputs', `inputs lacks ${quoted(spec.name)}; the model takes ${listed(names)}.`);
      return readTensor(given, spec, `inputs[${at}]`);
    }),
    outputs: readOutputs(outputs, config),
  };
}

function readOutputs(asked: InferBody['outputs'], { outputs, omittedOutputs }: InferConfig): readonly string[] {
  const known = outputs.map(({ name }) => name);
  asked?.forEach(({ name }, at) => {
    const field = `outputs[${at}].name`;
    if (omittedOutputs.includes(name)) throw invalid(field, `The output ${quoted(name)} is no tensor of numbers and is not given.`);
    if (!known.includes(name)) throw invalid(field, `The model has no output ${quoted(name)}; it gives ${listed(known)}.`);
  });
  return asked === undefined ? known : [...new Set(asked.map(({ name }) => name))];
}

function readTensor({ datatype, shape, data }: TensorBody, spec: TensorSpec, field: string): Tensor {
  if (datatype !== spec.datatype)
    throw invalid(`${field}.datatype`, `${field}.datatype must be ${spec.datatype} for ${quoted(spec.name)}, not ${quoted(datatype)}.`);
  const isFitting = shape.length === spec.shape.length && spec.shape.every((size, at) => size === null || size === shape[at]);
  if (!isFitting) {
    const wanted = spec.shape.map((size) => size ?? 'any').join(', ');
    throw invalid(`${field}.shape`, `${field}.shape must be [${wanted}] for ${quoted(spec.name)}, not [${shape.join(', ')}].`);
  }
  const bytes =
    typeof data === 'string' ? fromBase64(data, spec, { shape, field }) : fromValues(data.flat(Infinity), spec, { shape, field });
  return { name: spec.name, datatype: spec.datatype, shape, bytes };
}

interface Place {
  readonly shape: readonly number[];
  readonly field: string;
}

function fromBase64(data: string, { datatype }: TensorSpec, { shape, field }: Place): Uint8Array<ArrayBuffer> {
  const decoded = Buffer.from(data, 'base64');
  const expected = byteLengthOf(datatype, shape);
  if (decoded.length !== expected)
    throw invalid(`${field}.data`, `${field}.data is ${decoded.length} bytes of base64; the shape [${shape.join(', ')}] has ${expected}.`);
  return new Uint8Array(decoded);
}

function fromValues(data: readonly unknown[], { datatype }: TensorSpec, { shape, field }: Place): Uint8Array<ArrayBuffer> {
  const expected = shape.reduce((product, size) => product * size, 1);
  if (data.length !== expected)
    throw invalid(`${field}.data`, `${field}.data holds ${data.length} values; the shape [${shape.join(', ')}] has ${expected}.`);
  const bytes = new Uint8Array(byteLengthOf(datatype, shape));
  const values = valuesOf({ datatype, bytes });
  data.forEach((value, at) => {
    const number = datatype === 'BOOL' && typeof value === 'boolean' ? Number(value) : value;
    const isValid = typeof number === 'number' && isOfType(datatype, number);
    if (!isValid)
      throw invalid(`${field}.data`, `${field}.data[${at}] must be ${WORDS[datatype]}, not ${JSON.stringify(value)?.slice(0, 80)}.`);
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[at] = BigInt(number);
    else values[at] = number;
  });
  return bytes;
}

/** JSON's numbers are doubles: 64-bit integers beyond 2^53 need base64. */
const WHOLE = 2 ** 53 - 1;
const RANGES: Readonly<Record<Datatype, readonly [number, number] | null>> = {
  BOOL: [0, 1],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [0, WHOLE],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [-WHOLE, WHOLE],
  FP16: null,
  FP32: null,
  FP64: null,
};
const WORDS = Object.fromEntries(
  Object.entries(RANGES).map(([datatype, range]) => [
    datatype,
    datatype === 'BOOL' ? 'true, false, 0 or 1' : range === null ? 'a number' : `a whole number from ${range[0]} to ${range[1]}`,
  ]),
) as Readonly<Record<Datatype, string>>;

function isOfType(datatype: Datatype, value: number): boolean {
  const range = RANGES[datatype];
  return range === null ? Number.isFinite(value) : Number.isInteger(value) && value >= range[0] && value <= range[1];
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 200));
const listed = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.map(quoted).join(', '));
