// Owns the sums of a row's blocks of activations, which the offsets of quantised blocks multiply.
import { DataType, type GraphBuilder } from '../graph/onnx.ts';

interface BlockSums {
  readonly width: number;
  readonly blockSize: number;
  readonly out: string;
}

/** x [..., width] → [..., width / blockSize]. A product with a matrix of ones: one node for any rank, where a reshape and a sum are two. */
export function addBlockSums(b: GraphBuilder, x: string, { width, blockSize, out }: BlockSums): string {
  const blocks = width / blockSize;
  const name = `ones.${width}.${blockSize}`;
  if (!b.has(name)) {
    const ones = new Float32Array(width * blocks);
    for (let row = 0; row < width; row++) ones[row * blocks + Math.floor(row / blockSize)] = 1;
    b.initializer({ name, type: DataType.float32, dims: [width, blocks] }, ones);
  }
  return b.node({ op: 'MatMul', inputs: [x, name], outputs: [out] });
}
