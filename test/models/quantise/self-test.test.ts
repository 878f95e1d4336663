// The check of this machine's kernels finds nothing here, and finds a form that computes something else.
import { expect, test } from 'vitest';
import type { LinearFormat } from '../../../engine/models/graph/linear.ts';
import { blocks8 } from '../../../engine/models/quantise/block-linear.ts';
import { faultyForms } from '../../../engine/models/quantise/self-test.ts';

test('every form is right on this machine', () => {
  expect(faultyForms()).toEqual([]);
});

test('a form that is off by a twentieth is named', () => {
  const right = blocks8(32);
  const wrong: LinearFormat = {
    ...right,
    name: 'five percent too much',
    emit(b, x, weights, out) {
      const product = right.emit(b, x, weights, `${out}.right`);
      return b.node({ op: 'Mul', inputs: [product, b.float32(1.05)], outputs: [out] });
    },
  };
  const forms = [
    { format: right, limit: 0.01 },
    { format: wrong, limit: 0.01 },
  ];
  expect(faultyForms(forms)).toEqual(['five percent too much']);
});
