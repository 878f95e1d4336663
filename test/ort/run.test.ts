import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NativeMemory, OrtError, OrtSession, OrtTensor, RunBinding, RunOptions } from '../../engine/ort/index.ts';
import { writeTinyModel } from './tiny_onnx.ts';

let folder = '';
let addPath = '';
let chainPath = '';
/** Matrix products in a row: long enough to be stopped in the middle. */
const CHAIN = 400;
const SIDE = 512;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-ort-'));
  addPath = join(folder, 'add.onnx');
  await writeTinyModel(addPath, {
    nodes: [{ op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] }],
    inputs: [
      { name: 'a', shape: ['n', 2] },
      { name: 'b', shape: [2] },
    ],
    outputs: [{ name: 'sum', shape: ['n', 2] }],
  });
  chainPath = join(folder, 'chain.onnx');
  await writeTinyModel(chainPath, {
    nodes: Array.from({ length: CHAIN }, (_, i) => ({ op: 'MatMul', inputs: [i === 0 ? 'x' : `y${i}`, 'w'], outputs: [`y${i + 1}`] })),
    inputs: [
      { name: 'x', shape: [SIDE, SIDE] },
      { name: 'w', shape: [SIDE, SIDE] },
    ],
    outputs: [{ name: `y${CHAIN}`, shape: [SIDE, SIDE] }],
  });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof OrtError) return error.code;
    throw error;
  }
  return 'none';
};

function addition() {
  const session = OrtSession.create(addPath, { threads: 1 });
  const a = OrtTensor.over(Float32Array.of(1, 2, 3, 4), [2, 2]);
  const b = OrtTensor.over(Float32Array.of(10, 20), [2]);
  const results = new Float32Array(4);
  const sum = OrtTensor.over(results, [2, 2]);
  const binding = new RunBinding(session, { inputs: { a, b }, outputs: { sum } });
  return { session, a, b, sum, results, binding };
}

function chain() {
  const session = OrtSession.create(chainPath, { threads: 1 });
  const x = OrtTensor.over(new Float32Array(SIDE * SIDE), [SIDE, SIDE]);
  const y = OrtTensor.over(new Float32Array(SIDE * SIDE), [SIDE, SIDE]);
  return { session, x, y, binding: new RunBinding(session, { inputs: { x, w: x }, outputs: { [`y${CHAIN}`]: y } }) };
}

describe('a session', () => {
  test('tells what it takes and gives', () => {
    using session = OrtSession.create(addPath, { threads: 1 });
    expect(session.inputs).toEqual([
      { name: 'a', type: 'float32', shape: [null, 2] },
      { name: 'b', type: 'float32', shape: [2] },
    ]);
    expect(session.outputs).toEqual([{ name: 'sum', type: 'float32', shape: [null, 2] }]);
  });

  test('that cannot be loaded says why', () => {
    expect(refusal(() => OrtSession.create(join(folder, 'absent.onnx'), { threads: 1 }))).toBe('NO_SUCHFILE');
  });
});

describe('a run', () => {
  test('computes into the bound output', () => {
    const { binding, results } = addition();
    binding.run();
    expect([...results]).toEqual([11, 22, 13, 24]);
  });

  test('on another thread computes the same', async () => {
    const { binding, results } = addition();
    await binding.runAsync();
    expect([...results]).toEqual([11, 22, 13, 24]);
  });

  test('works over native memory, in place', () => {
    using memory = new NativeMemory(1 << 20);
    memory.write(64, Float32Array.of(1, 2, 3, 4));
    const { session, b } = addition();
    const inPlace = OrtTensor.overMemory(memory, 64, [2, 2], 'float32');
    new RunBinding(session, { inputs: { a: inPlace, b }, outputs: { sum: inPlace } }).run();
    expect([...memory.read(64, new Float32Array(4))]).toEqual([11, 22, 13, 24]);
    inPlace.dispose();
  });

  test('reads what was bound last', () => {
    const { binding, results } = addition();
    const other = OrtTensor.over(Float32Array.of(-1, -2), [2]);
    binding.setInput('b', other);
    binding.run();
    expect([...results]).toEqual([0, 0, 2, 2]);
  });

  test('leaves the event loop free, and can be terminated and taken up again', async () => {
    const { binding } = chain();
    using options = new RunOptions();
    let ticks = 0;
    const ticker = setInterval(() => {
      ticks++;
      if (ticks === 3) options.terminate();
    }, 1);
    await expect(binding.runAsync(options)).rejects.toMatchObject({ code: 'TERMINATED' });
    clearInterval(ticker);
    expect(ticks).toBeGreaterThanOrEqual(3);
    expect(refusal(() => binding.run(options))).toBe('TERMINATED');
    options.clearTerminate();
    binding.run(options);
  });

  test('keeps alive what is disposed under it', async () => {
    const { session, x, y, binding } = chain();
    const run = binding.runAsync();
    session.dispose();
    x.dispose();
    y.dispose();
    await run;
    expect(refusal(() => binding.run())).toBe('DISPOSED');
  });

  test('refuses a second one of the same binding, and changes, until it has ended', async () => {
    const { binding, x } = chain();
    const run = binding.runAsync();
    expect(refusal(() => binding.run())).toBe('BUSY');
    expect(refusal(() => binding.setInput('x', x))).toBe('BUSY');
    await run;
    binding.setInput('x', x);
  });
});
