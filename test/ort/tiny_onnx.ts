// Owns a writer of ONNX files just big enough for this room's tests: float32 nodes without attributes, no initializers.
// Field numbers: onnx.proto of ONNX 1.16 (ModelProto, GraphProto, NodeProto, ValueInfoProto, TypeProto, TensorShapeProto).
import { writeFile } from 'node:fs/promises';

export interface TinyNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A size that is a word is a dimension left open. */
export interface TinyValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface TinyGraph {
  readonly nodes: readonly TinyNode[];
  readonly inputs: readonly TinyValue[];
  readonly outputs: readonly TinyValue[];
}

const FLOAT = 1;

export async function writeTinyModel(path: string, graph: TinyGraph): Promise<void> {
  await writeFile(path, encodeModel(graph));
}

function encodeModel(graph: TinyGraph): Buffer {
  const opset = message(8, text(1, ''), integer(2, 17));
  const nodes = graph.nodes.map((node) =>
    message(1, ...node.inputs.map((name) => text(1, name)), ...node.outputs.map((name) => text(2, name)), text(4, node.op)),
  );
  const inputs = graph.inputs.map((value) => message(11, ...valueInfo(value)));
  const outputs = graph.outputs.map((value) => message(12, ...valueInfo(value)));
  return Buffer.concat([integer(1, 8), message(7, ...nodes, text(2, 'tiny'), ...inputs, ...outputs), opset]);
}

function valueInfo(value: TinyValue): Buffer[] {
  const sizes = value.shape.map((size) => message(1, typeof size === 'number' ? integer(1, size) : text(2, size)));
  const tensorType = message(1, integer(1, FLOAT), message(2, ...sizes));
  return [text(1, value.name), message(2, tensorType)];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const integer = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const text = (field: number, value: string): Buffer => message(field, Buffer.from(value));
const message = (field: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};
