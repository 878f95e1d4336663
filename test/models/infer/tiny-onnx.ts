// Ordinary ONNX models just big enough for tests, as folders.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataType, GraphBuilder } from '../../../engine/models/graph/onnx.ts';
import { WeightsFile } from '../../../engine/models/graph/weights-file.ts';

/** Writes `model.onnx` and `weights.bin` into the folder, which is made. Returns the folder. */
export function writeOnnx(folder: string, build: (graph: GraphBuilder) => void): string {
  mkdirSync(folder, { recursive: true });
  using weights = new WeightsFile(join(folder, 'weights.bin'));
  const graph = new GraphBuilder(weights, 'weights.bin');
  build(graph);
  weights.sync();
  writeFileSync(join(folder, 'model.onnx'), graph.finish());
  return folder;
}

/** Of the classifier's weights: column `i % 3` has the value `i`. */
export const FEATURES = 128;
export const CLASSES = 3;

/** `x` float32 [n, 128] to `scores` float32 [n, 3], where score c is the sum of x over the features with feature % 3 = c, and `label` int64 [n]. */
export function classifier(graph: GraphBuilder): void {
  const table = Float32Array.from({ length: FEATURES * CLASSES }, (_, i) => Number(Math.floor(i / CLASSES) % CLASSES === i % CLASSES));
  const x = graph.input('x', DataType.float32, ['n', FEATURES]);
  const weights = graph.initializer({ name: 'weights', type: DataType.float32, dims: [FEATURES, CLASSES] }, table);
  const scores = graph.node({ op: 'MatMul', inputs: [x, weights], outputs: ['scores'] });
  graph.node({ op: 'ArgMax', inputs: [scores], outputs: ['label'], attributes: { axis: 1, keepdims: 0 } });
  graph.output('scores', DataType.float32, ['n', CLASSES]);
  graph.output('label', DataType.int64, ['n']);
}

/** The first dimension is a length: each element's share depends on all of them. */
export function shares(graph: GraphBuilder): void {
  const x = graph.input('x', DataType.float32, ['length', 2]);
  graph.node({ op: 'Softmax', inputs: [x], outputs: ['share'], attributes: { axis: 0 } });
  graph.output('share', DataType.float32, ['length', 2]);
}

/** Whole numbers and truths: `big` int64, `small` int32 and `is` bool, all [n], given back as doubled int64, int32 and negated bool. */
export function wholes(graph: GraphBuilder): void {
  const [big, small, is] = [
    graph.input('big', DataType.int64, ['n']),
    graph.input('small', DataType.int32, ['n']),
    graph.input('is', DataType.bool, ['n']),
  ];
  graph.node({ op: 'Add', inputs: [big, big], outputs: ['twice'] });
  graph.node({ op: 'Neg', inputs: [small], outputs: ['minus'] });
  graph.node({ op: 'Not', inputs: [is], outputs: ['not'] });
  graph.output('twice', DataType.int64, ['n']);
  graph.output('minus', DataType.int32, ['n']);
  graph.output('not', DataType.bool, ['n']);
}
