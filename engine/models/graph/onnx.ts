// Owns the shape of an ONNX model file: nodes, initialisers, inputs and outputs, and how they are encoded.
// Knows nothing about transformers. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
// NOTE: the wire form is written by 60 lines of our own: five message types are all that a graph needs, and a library would
// add a schema compiler to the build for them.
import { bug } from '../../errors.ts';
import { MessageWriter } from './protobuf.ts';
import type { Extent, WeightsFile } from './weights-file.ts';

/** TensorProto.DataType. */
export const DataType = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export type DataType = (typeof DataType)[keyof typeof DataType];

const BITS: Readonly<Record<DataType, number>> = { 1: 32, 2: 8, 3: 8, 6: 32, 7: 64, 9: 8, 10: 16 };

/** A node's attribute. A plain number is an integer; `{ float }` is a float, also when its value is whole. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** A dimension is a number, or the name of a size that is known only at run time. */
export type Shape = readonly (number | string)[];

/** `''` in inputs or outputs stands for an optional one that is left out. */
export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** `com.microsoft` for ONNX Runtime's own operators; the default is ONNX. */
  readonly domain?: string;
}

export interface TensorSpec {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly number[];
}

export interface ValueSpec {
  readonly name: string;
  readonly type: DataType;
  readonly shape: Shape;
}

interface Initializer extends TensorSpec {
  readonly content: Uint8Array | Extent;
}

const IR_VERSION = 10;
const OPSET = 21;
/** Below this a tensor lives in the graph file: ONNX Runtime folds and fuses only with constants it can see. */
const INLINE_BYTES = 1024;

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Collects one graph and streams its large tensors to the weights file beside it. */
export class GraphBuilder {
  readonly #weights: WeightsFile;
  readonly #location: string;
  readonly #nodes: NodeSpec[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #inputs: ValueSpec[] = [];
  readonly #outputs: ValueSpec[] = [];
  readonly #values = new Set<string>();

  /** `location` is the weights file's name as the graph file, which lies in the same folder, will spell it. */
  constructor(weights: WeightsFile, location: string) {
    this.#weights = weights;
    this.#location = location;
  }

  /** Adds a node and returns its first output's name. */
  node(spec: NodeSpec): string {
    for (const output of spec.outputs) if (output !== '') this.#claim(output);
    this.#nodes.push(spec);
    return spec.outputs[0] ?? bug(`The node ${spec.op} has no output.`);
  }

  input(name: string, type: DataType, shape: Shape): string {
    this.#claim(name);
    this.#inputs.push({ name, type, shape });
    return name;
  }

  /** Declares a value that some node makes as an output of the graph. */
  output(name: string, type: DataType, shape: Shape): void {
    this.#outputs.push({ name, type, shape });
  }

  /** Whether an initialiser of this name was added, so that two users can share one table. */
  has(name: string): boolean {
    return this.#initializers.has(name);
  }

  /** Adds a tensor held in memory; returns its name. */
  initializer(spec: TensorSpec, data: ArrayBufferView): string {
    if (data.byteLength < INLINE_BYTES) return this.#add(spec, bytesOf(data).slice());
    return this.stream(spec, [data]);
  }

  /** Adds a tensor whose bytes, row-major, come in pieces; only one piece is held at a time. Returns its name. */
  stream(spec: TensorSpec, chunks: Iterable<ArrayBufferView>): string {
    return this.#add(spec, this.#weights.append(chunks));
  }

  /** The bytes of a tensor that was added, under another name and shape; they are stored once. Returns its name. */
  alias(name: string, dims: readonly number[], of: string): string {
    const { type, content } = this.#initializers.get(of) ?? bug(`There is no tensor ${of}.`);
    return this.#add({ name, type, dims }, content);
  }

  /** A small int64 vector; equal ones are shared. */
  int64(...values: readonly number[]): string {
    const name = `const.i64.${values.join('_')}`;
    if (this.has(name)) return name;
    return this.initializer({ name, type: DataType.int64, dims: [values.length] }, BigInt64Array.from(values, BigInt));
  }

  /** A float32 scalar (no dimensions); equal ones are shared. */
  float32(value: number): string {
    const name = `const.f32.${value}`;
    if (this.has(name)) return name;
    return this.initializer({ name, type: DataType.float32, dims: [] }, Float32Array.of(value));
  }

  /** The same graph over the same weights file, changed piece by piece; both go on separately. */
  fork(change: { readonly node: (node: NodeSpec) => NodeSpec; readonly value: (value: ValueSpec) => ValueSpec }): GraphBuilder {
    const fork = new GraphBuilder(this.#weights, this.#location);
    fork.#nodes.push(...this.#nodes.map(change.node));
    fork.#inputs.push(...this.#inputs.map(change.value));
    fork.#outputs.push(...this.#outputs.map(change.value));
    for (const [name, tensor] of this.#initializers) fork.#initializers.set(name, tensor);
    for (const name of this.#values) fork.#values.add(name);
    return fork;
  }

  /** The bytes of the model file. */
  finish(): Uint8Array {
    const model = new MessageWriter().int(1, IR_VERSION).string(2, 'millrace');
    model.message(7, (graph) => {
      for (const node of this.#nodes) graph.message(1, (message) => writeNode(message, node));
      graph.string(2, 'decoder');
      for (const tensor of this.#initializers.values()) graph.message(5, (message) => writeTensor(message, tensor, this.#location));
      for (const value of this.#inputs) graph.message(11, (message) => writeValue(message, value));
      for (const value of this.#outputs) graph.message(12, (message) => writeValue(message, value));
    });
    model.message(8, (opset) => opset.string(1, '').int(2, OPSET));
    model.message(8, (opset) => opset.string(1, 'com.microsoft').int(2, 1));
    return model.finish();
  }

  #add(spec: TensorSpec, content: Uint8Array | Extent): string {
    this.#claim(spec.name);
    const expected = Math.ceil((spec.dims.reduce((a, b) => a * b, 1) * BITS[spec.type]) / 8);
    if (content.length !== expected) bug(`The tensor ${spec.name} has ${content.length} bytes and its shape ${expected}.`);
    this.#initializers.set(spec.name, { ...spec, content });
    return spec.name;
  }

  #claim(name: string): void {
    if (this.#values.has(name)) bug(`Two values of the graph are called ${name}.`);
    this.#values.add(name);
  }
}

function writeNode(message: MessageWriter, node: NodeSpec): void {
  for (const name of node.inputs) message.string(1, name);
  for (const name of node.outputs) message.string(2, name);
  message.string(3, `${node.outputs.find((name) => name !== '') ?? ''}/${node.op}`).string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes ?? {})) message.message(5, (field) => writeAttribute(field, name, value));
  if (node.domain !== undefined) message.string(7, node.domain);
}

/** AttributeProto; field 20 is the kind: 1 float, 2 int, 3 string, 7 ints. */
function writeAttribute(message: MessageWriter, name: string, value: Attribute): void {
  message.string(1, name);
  if (typeof value === 'number') message.int(3, value).int(20, 2);
  else if (typeof value === 'string') message.string(4, value).int(20, 3);
  else if ('float' in value) message.float(2, value.float).int(20, 1);
  else {
    for (const item of value) message.int(8, item);
    message.int(20, 7);
  }
}

/** TensorProto, its content either raw bytes or a place in the external file. */
function writeTensor(message: MessageWriter, tensor: Initializer, location: string): void {
  for (const dim of tensor.dims) message.int(1, dim);
  message.int(2, tensor.type).string(8, tensor.name);
  const { content } = tensor;
  if (content instanceof Uint8Array) {
    message.bytes(9, content);
    return;
  }
  const entries = { location, offset: String(content.offset), length: String(content.length) };
  for (const [key, value] of Object.entries(entries)) message.message(13, (entry) => entry.string(1, key).string(2, value));
  message.int(14, 1);
}

/** ValueInfoProto of a tensor. */
function writeValue(message: MessageWriter, value: ValueSpec): void {
  message.string(1, value.name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.int(1, value.type).message(2, (shape) => {
        for (const dim of value.shape) shape.message(1, (entry) => (typeof dim === 'string' ? entry.string(2, dim) : entry.int(1, dim)));
      }),
    ),
  );
}
