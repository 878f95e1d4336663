import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileTensor } from '../../../engine/models/readers/file-tensor.ts';
import { readGgufHeader } from '../../../engine/models/readers/gguf/header.ts';
import { RandomFile } from '../../../engine/models/readers/random-file.ts';
import { BLOCKS, rowCount, rowLength } from '../../../engine/models/readers/tensors.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/readers');

describe('decoding stored weights, against the numbers that Python’s gguf decodes', () => {
  const file = new RandomFile(join(FIXTURES, 'types.gguf'));
  afterAll(() => file.dispose());
  const { tensors } = readGgufHeader(file);
  const expected = new Float32Array(new Uint8Array(readFileSync(join(FIXTURES, 'types.f32'))).buffer);

  it('covers every type', () => {
    expect(tensors.map(({ type }) => type).toSorted()).toEqual(Object.keys(BLOCKS).toSorted());
  });

  it.each(tensors.map((info, index) => ({ info, index })))('$info.type', ({ info, index }) => {
    const tensor = new FileTensor(file, info);
    const count = rowCount(info.shape) * rowLength(info.shape);
    const wanted = expected.subarray(index * count, (index + 1) * count);
    expectClose(tensor.readF32(0, rowCount(info.shape)), wanted);
    expectClose(tensor.readF32(1, 1), wanted.subarray(rowLength(info.shape), 2 * rowLength(info.shape)));
  });
});

/** Equal but for the rounding of single-precision intermediates. */
function expectClose(actual: Float32Array, wanted: Float32Array): void {
  expect(actual.length).toBe(wanted.length);
  const largest = wanted.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const worst = actual.reduce((max, value, i) => Math.max(max, Math.abs(value - (wanted[i] ?? NaN))), 0);
  expect(largest).toBeGreaterThan(0);
  expect(worst).toBeLessThanOrEqual(largest * 2 ** -22);
}
