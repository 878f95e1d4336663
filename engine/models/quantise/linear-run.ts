// Owns running one linear layer in a given form, through a graph of its own in the system's temporary folder.
// Knows nothing about models.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OrtSession, OrtTensor, RunBinding } from '../../ort/index.ts';
import type { LinearFormat, LinearWeights } from '../graph/linear.ts';
import { DataType, GraphBuilder } from '../graph/onnx.ts';
import { WeightsFile } from '../graph/weights-file.ts';

/** x [rows, inFeatures] through the layer: [rows, outFeatures]. @throws OrtError when the form does not load */
export function runLinear(format: LinearFormat, weights: LinearWeights, x: Float32Array): Float32Array {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-linear-'));
  try {
    return run(writeGraph(format, weights, folder), weights, x);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(path: string, { inFeatures, outFeatures }: LinearWeights, x: Float32Array): Float32Array {
  const rows = x.length / inFeatures;
  const y = new Float32Array(rows * outFeatures);
  using session = OrtSession.create(path, { threads: 1 });
  using input = OrtTensor.over(x, [1, rows, inFeatures]);
  using output = OrtTensor.over(y, [1, rows, outFeatures]);
  new RunBinding(session, { inputs: { x: input }, outputs: { y: output } }).run();
  return y;
}

function writeGraph(format: LinearFormat, weights: LinearWeights, folder: string): string {
  using file = new WeightsFile(join(folder, 'weights.bin'));
  const b = new GraphBuilder(file, 'weights.bin');
  b.input('x', DataType.float32, ['batch', 'tokens', weights.inFeatures]);
  format.emit(b, 'x', weights, 'y');
  b.output('y', DataType.float32, ['batch', 'tokens', weights.outFeatures]);
  const path = join(folder, 'graph.onnx');
  writeFileSync(path, b.finish());
  return path;
}
