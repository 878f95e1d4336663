// Owns an ordinary ONNX model on ONNX Runtime: what it takes and gives, and its runs.
// Knows nothing about requests.
import { EngineError } from '../../errors.ts';
import { OrtError, OrtSession, OrtTensor, runOpen, type ComputedTensor, type ElementType, type TensorInfo } from '../../ort/index.ts';
import { DATATYPES, valuesOf, type Datatype, type Tensor, type TensorSpec } from './tensors.ts';

const ELEMENT_TYPES: Readonly<Record<Datatype, ElementType>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
};

export class OnnxSession implements Disposable {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Outputs that are no tensors of numbers. */
  readonly omittedOutputs: readonly string[];
  readonly #session: OrtSession;

  /** Loads the graph; blocks until it is loaded. @throws OrtError; EngineError `unsupported_model` for inputs of strings, sequences or
   *  maps, and for a model without an output of numbers */
  constructor(graphFile: string, threads: number) {
    this.#session = OrtSession.create(graphFile, { threads });
    try {
      const { inputs, outputs } = this.#session;
      this.inputs = inputs.map((info) => specOf(info) ?? refuseInput(info));
      this.outputs = outputs.flatMap((info) => specOf(info) ?? []);
      this.omittedOutputs = outputs.filter((info) => specOf(info) === null).map(({ name }) => name);
      if (this.outputs.length === 0)
        throw new EngineError('unsupported_model', 'The ONNX model has no output that is a tensor of numbers.');
    } catch (error) {
      this.#session.dispose();
      throw error;
    }
  }

  /** The named outputs, in their order. @throws EngineError `invalid_request` when the graph cannot take these sizes */
  async run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<readonly Tensor[]> {
    const tensors: Record<string, OrtTensor> = {};
    try {
      for (const input of inputs) tensors[input.name] = toOrt(input);
      const computed = await runOpen(this.#session, tensors, outputs);
      return computed.map((tensor, at) => fromOrt(outputs[at] ?? '', tensor));
    } catch (error) {
      if (!(error instanceof OrtError)) throw error;
      throw new EngineError('invalid_request', `The model cannot compute this: ${error.message}`, { param: 'inputs', cause: error });
    } finally {
      for (const tensor of Object.values(tensors)) tensor.dispose();
    }
  }

  dispose(): void {
    this.#session.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function specOf({ name, type, shape }: TensorInfo): TensorSpec | null {
  const datatype = datatypeOf(type);
  return datatype === undefined ? null : { name, datatype, shape };
}

function datatypeOf(type: TensorInfo['type']): Datatype | undefined {
  return DATATYPES.find((one) => ELEMENT_TYPES[one] === type);
}

function refuseInput({ name }: TensorInfo): never {
  throw new EngineError('unsupported_model', `The input ${JSON.stringify(name)} of the ONNX model is no tensor of numbers.`);
}

function toOrt({ datatype, shape, bytes }: Tensor): OrtTensor {
  const values = valuesOf({ datatype, bytes });
  // ONNX Runtime's float16 lies over plain 16-bit words.
  const data = values instanceof Float16Array ? new Uint16Array(values.buffer) : values;
  return OrtTensor.over(data, shape, ELEMENT_TYPES[datatype]);
}

function fromOrt(name: string, { type, shape, bytes }: ComputedTensor): Tensor {
  const datatype = datatypeOf(type);
  if (datatype === undefined) throw new EngineError('unsupported_model', `The output ${JSON.stringify(name)} is of a type without a name.`);
  return { name, datatype, shape, bytes };
}
