// Native memory must follow its owners: no leak in use or on refusal, no crash when the collector runs.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NativeMemory, OrtSession, OrtTensor, RunBinding, RunOptions } from '../../engine/ort/index.ts';
import { writeTinyModel } from './tiny_onnx.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const MIB = 1 << 20;
const ROUNDS = 200;

let folder = '';
let path = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-ort-'));
  path = join(folder, 'magnitude.onnx');
  await writeTinyModel(path, {
    // The value between the two lies in memory of the session's own, so that a session that stays would be seen.
    nodes: [
      { op: 'Neg', inputs: ['x'], outputs: ['between'] },
      { op: 'Abs', inputs: ['between'], outputs: ['y'] },
    ],
    inputs: [{ name: 'x', shape: ['n'] }],
    outputs: [{ name: 'y', shape: ['n'] }],
  });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** MiB by which the process grows over the rounds, a warm-up before them apart. */
function growthMib(round: () => void): number {
  for (let i = 0; i < ROUNDS / 10; i++) round();
  collectGarbage();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < ROUNDS; i++) round();
  collectGarbage();
  return (process.memoryUsage.rss() - before) / MIB;
}

describe('memory', () => {
  test('returns after sessions, tensors and runs', () => {
    const growth = growthMib(() => {
      using session = OrtSession.create(path, { threads: 2 });
      using memory = new NativeMemory(MIB);
      using x = OrtTensor.overMemory(memory, 0, [MIB / 8], 'float32');
      using y = OrtTensor.overMemory(memory, MIB / 2, [MIB / 8], 'float32');
      using options = new RunOptions();
      new RunBinding(session, { inputs: { x }, outputs: { y } }).run(options);
    });
    // A leak of the memory alone would be 200.
    expect(growth).toBeLessThan(40);
  });

  test('returns after refusals', async () => {
    const broken = join(folder, 'broken.onnx');
    await writeFile(broken, Buffer.alloc(MIB, 0xff));
    using session = OrtSession.create(path, { threads: 1 });
    using memory = new NativeMemory(MIB);
    const growth = growthMib(() => {
      expect(() => OrtSession.create(broken, { threads: 1 })).toThrow(expect.objectContaining({ code: 'INVALID_PROTOBUF' }));
      expect(() => OrtSession.create(path, { threads: 1, providers: [{ name: 'None', options: { key: 'value' } }] })).toThrow(/None/);
      using x = OrtTensor.overMemory(memory, 0, [2], 'float32');
      using wrong = OrtTensor.over(new BigInt64Array(2), [2]);
      expect(() => new RunBinding(session, { inputs: { x }, outputs: { y: wrong } }).run()).toThrow(/type/);
    });
    expect(growth).toBeLessThan(40);
  });

  test('that only a tensor refers to survives the collector', () => {
    using session = OrtSession.create(path, { threads: 1 });
    const binding = ((): RunBinding => {
      const x = OrtTensor.over(new Float32Array(1000).fill(3), [1000]);
      const y = OrtTensor.over(new Float32Array(1000), [1000]);
      return new RunBinding(session, { inputs: { x }, outputs: { y } });
    })();
    for (let i = 0; i < 5; i++) collectGarbage();
    const results = new Float32Array(1000);
    binding.setOutput('y', OrtTensor.over(results, [1000]));
    binding.run();
    expect(results.every((value) => value === 3)).toBe(true);
  });
});

describe('after dispose', () => {
  const used = expect.objectContaining({ code: 'DISPOSED' }) as Error;

  test('every use is refused', async () => {
    const session = OrtSession.create(path, { threads: 1 });
    const x = OrtTensor.over(Float32Array.of(1, 2), [2]);
    const y = OrtTensor.over(new Float32Array(2), [2]);
    const options = new RunOptions();
    const binding = new RunBinding(session, { inputs: { x }, outputs: { y } });
    options.dispose();
    expect(() => options.terminate()).toThrow(used);
    expect(() => options.clearTerminate()).toThrow(used);
    expect(() => binding.run(options)).toThrow(used);
    x.dispose();
    expect(() => binding.run()).toThrow(used);
    expect(() => binding.setInput('x', x)).toThrow(used);
    await expect(binding.runAsync()).rejects.toEqual(used);
    binding.setInput('x', y);
    session.dispose();
    session.dispose();
    expect(() => binding.run()).toThrow(used);
    expect(() => session.endProfiling()).toThrow(used);
    expect(() => new RunBinding(session, { inputs: { x }, outputs: { y } })).toThrow(used);
  });
});

describe('a binding', () => {
  test('refuses names that the model does not have, and inputs left out', () => {
    using session = OrtSession.create(path, { threads: 1 });
    using x = OrtTensor.over(Float32Array.of(1), [1]);
    const bind = (inputs: Record<string, OrtTensor>, outputs: Record<string, OrtTensor>) => () =>
      new RunBinding(session, { inputs, outputs });
    expect(bind({ x, other: x }, { y: x })).toThrow(/no input other/);
    expect(bind({ x }, { other: x })).toThrow(/no output other/);
    expect(bind({}, { y: x })).toThrow(/input x is not bound/);
    expect(() => bind({ x }, { y: x })().setInput('other', x)).toThrow(/No input other/);
  });
});

describe('a tensor', () => {
  test('refuses memory that does not fit its shape or may move', () => {
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error;
    expect(() => OrtTensor.over(new Float32Array(3), [2])).toThrow(refused);
    expect(() => OrtTensor.over(new Float32Array(2), [2], 'float16')).toThrow(refused);
    expect(() => OrtTensor.over(new Float32Array(new ArrayBuffer(8, { maxByteLength: 16 })), [2])).toThrow(refused);
    expect(() => OrtTensor.over(new Float32Array(new SharedArrayBuffer(8)), [2])).toThrow(refused);
  });

  test('may be empty', () => {
    using session = OrtSession.create(path, { threads: 1 });
    using x = OrtTensor.over(new Float32Array(0), [0]);
    using y = OrtTensor.over(new Float32Array(0), [0]);
    new RunBinding(session, { inputs: { x }, outputs: { y } }).run();
  });
});

describe('profiling', () => {
  test('writes a trace that names the operators', async () => {
    using session = OrtSession.create(path, { threads: 1, profilePrefix: join(folder, 'trace') });
    using x = OrtTensor.over(Float32Array.of(1), [1]);
    using y = OrtTensor.over(new Float32Array(1), [1]);
    new RunBinding(session, { inputs: { x }, outputs: { y } }).run();
    const trace = JSON.parse(await readFile(session.endProfiling(), 'utf8')) as { args?: { op_name?: string } }[];
    expect(trace.some((event) => event.args?.op_name === 'Neg')).toBe(true);
  });
});
