// The Open Inference Protocol through all rooms: `millrace pull` of a folder, `millrace serve`, and tensors over HTTP.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLASSES, FEATURES, classifier, wholes, writeOnnx } from '../models/infer/tiny-onnx.ts';
import { millrace, type Served, serve } from '../served.ts';
import { errorOf, post } from './serving.ts';

let root: string;
let served: Served;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-real-infer-'));
  const dataDir = join(root, 'data');
  for (const [name, build] of Object.entries({ classifier, wholes })) {
    const pulled = await millrace(['pull', writeOnnx(join(root, name), build), '--data-dir', dataDir]);
    expect(pulled.stderr + pulled.stdout).toContain(`/v2/models/${name}/infer`);
    expect(pulled.code).toBe(0);
  }
  served = await serve({ dataDir });
}, 120_000);
afterAll(async () => {
  await served.stop();
  await rm(root, { recursive: true });
});

interface Answer {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly data: readonly unknown[];
  }[];
}

const PATHS = ['/v1/infer/classifier', '/v2/models/classifier/infer'] as const;

/** Rows whose feature `hot` of three is one, the others zero. */
function rowsOf(...hot: readonly number[]): number[][] {
  return hot.map((which) => Array.from({ length: FEATURES }, (_, feature) => Number(feature % CLASSES === which)));
}

function x(rows: readonly (readonly number[])[]) {
  return { name: 'x', datatype: 'FP32', shape: [rows.length, FEATURES], data: rows };
}

async function infer(path: string, body: unknown): Promise<Answer> {
  const response = await post(`${served.url}${path}`, body);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as Answer;
}

const get = async (path: string): Promise<unknown> => (await fetch(`${served.url}${path}`)).json();

describe('an ONNX classifier', () => {
  it.each(PATHS)('answers at %s', async (path) => {
    const answer = await infer(path, { id: 'seven', inputs: [x(rowsOf(2, 0))] });
    expect(answer).toMatchObject({ model_name: 'classifier', model_version: 'onnx', id: 'seven' });
    expect(answer.outputs.map(({ name, datatype, shape }) => [name, datatype, ...shape])).toEqual([
      ['scores', 'FP32', 2, CLASSES],
      ['label', 'INT64', 2],
    ]);
    // 128 features: 43, 43 and 42 of each remainder.
    expect(answer.outputs.map(({ data }) => data)).toEqual([
      [0, 0, 42, 43, 0, 0],
      [2, 0],
    ]);
  });

  it('gives the outputs that are asked for, whether values come nested, flat or as bytes', async () => {
    const rows = rowsOf(1);
    const bytes = Buffer.from(Float32Array.from(rows.flat()).buffer).toString('base64');
    for (const data of [rows, rows.flat(), bytes]) {
      const { outputs } = await infer(PATHS[0], { inputs: [{ ...x(rows), data }], outputs: [{ name: 'label' }] });
      expect(outputs).toEqual([{ name: 'label', datatype: 'INT64', shape: [1], data: [1] }]);
    }
  });

  it('gives each of many at once its own rows', async () => {
    const asked = Array.from({ length: 40 }, (_, at) => [at % 3, (at + 1) % 3]);
    const answers = await Promise.all(asked.map((hot) => infer(PATHS[1], { inputs: [x(rowsOf(...hot))], outputs: [{ name: 'label' }] })));
    expect(answers.map(({ outputs }) => outputs[0]?.data)).toEqual(asked);
  });

  it('says what it takes and gives, and that it is ready', async () => {
    expect(await get('/v2/models/classifier')).toEqual({
      name: 'classifier',
      versions: ['onnx'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, FEATURES] }],
      outputs: [
        { name: 'scores', datatype: 'FP32', shape: [-1, CLASSES] },
        { name: 'label', datatype: 'INT64', shape: [-1] },
      ],
    });
    expect(await get('/v2/models/classifier/ready')).toEqual({ name: 'classifier', ready: true });
    expect(await get('/v2/health/live')).toEqual({ live: true });
    expect(await get('/v2/health/ready')).toEqual({ ready: true });
    expect(await get('/v2')).toMatchObject({ name: 'millrace', extensions: [] });
    expect(await get('/v1/models/classifier')).toMatchObject({ use: 'infer', trained_context: 0 });
  });

  it.each([
    ['a name it has not', { ...x(rowsOf(1)), name: 'y' }, 'inputs[0].name', '"x"'],
    ['another datatype', { ...x(rowsOf(1)), datatype: 'FP64' }, 'inputs[0].datatype', 'FP32'],
    ['BYTES', { ...x(rowsOf(1)), datatype: 'BYTES' }, 'inputs[0].datatype', 'FP32'],
    ['another shape', { ...x(rowsOf(1)), shape: [1, 4] }, 'inputs[0].shape', '[any, 128]'],
    ['too few values', { ...x(rowsOf(1)), data: [1, 2] }, 'inputs[0].data', '128'],
    ['too few bytes', { ...x(rowsOf(1)), data: 'AAAA' }, 'inputs[0].data', '512'],
    ['no number', { ...x(rowsOf(1)), data: [['1'], ...Array.from({ length: 127 }, () => 0)] }, 'inputs[0].data', 'a number'],
    ['an empty batch', { ...x([]), data: [] }, 'inputs[0].shape[0]', '1'],
  ])('refuses %s, naming the field and what it should be', async (_, input, param, words) => {
    const refused = await errorOf(await post(`${served.url}${PATHS[0]}`, { inputs: [input] }));
    expect(refused).toMatchObject({ status: 400, param });
    expect(refused.message).toContain(words);
  });

  it('refuses what is missing, and other endpoints refuse it', async () => {
    expect(await errorOf(await post(`${served.url}${PATHS[0]}`, { inputs: [] }))).toMatchObject({ status: 400, param: 'inputs' });
    const outputs = [{ name: 'none' }];
    const unknown = await errorOf(await post(`${served.url}${PATHS[0]}`, { inputs: [x(rowsOf(1))], outputs }));
    expect(unknown).toMatchObject({ status: 400, param: 'outputs[0].name' });
    const chat = await errorOf(
      await post(`${served.url}/v1/chat/completions`, { model: 'classifier', messages: [{ role: 'user', content: 'x' }] }),
    );
    expect(chat).toMatchObject({ status: 400, param: 'model' });
    expect(chat.message).toContain('/v1/infer/');
  });

  it('tells errors of the protocol’s own paths in its shape', async () => {
    const response = await post(`${served.url}/v2/models/nobody/infer`, { inputs: [] });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: expect.stringContaining('nobody') });
  });
});

describe('whole numbers and truths', () => {
  const tensors = (big: readonly number[], small: readonly number[], is: readonly unknown[]) => ({
    inputs: [
      { name: 'big', datatype: 'INT64', shape: [big.length], data: big },
      { name: 'small', datatype: 'INT32', shape: [small.length], data: small },
      { name: 'is', datatype: 'BOOL', shape: [is.length], data: is },
    ],
  });

  it('keep every digit and their types', async () => {
    const response = await post(
      `${served.url}/v2/models/wholes/infer`,
      tensors([Number.MAX_SAFE_INTEGER, -3], [7, -(2 ** 31 - 1)], [true, 0]),
    );
    const text = await response.text();
    expect(text).toContain('18014398509481982,-6');
    expect((JSON.parse(text) as Answer).outputs.map(({ data }) => data).slice(1)).toEqual([
      [-7, 2 ** 31 - 1],
      [false, true],
    ]);
  });

  it.each([
    [[2 ** 53], [1], [true], 'inputs[0].data'],
    [[1], [2 ** 31], [true], 'inputs[1].data'],
    [[1], [1.5], [true], 'inputs[1].data'],
    [[1], [1], [2], 'inputs[2].data'],
  ])('are refused beyond their range: %j %j %j', async (big, small, is, param) => {
    const refused = await errorOf(await post(`${served.url}/v1/infer/wholes`, tensors(big, small, is)));
    expect(refused).toMatchObject({ status: 400, param });
  });

  it('of inputs with unequal rows are computed or refused by the model alone', async () => {
    const response = await post(`${served.url}/v1/infer/wholes`, tensors([1, 2], [3], [true]));
    expect(response.status).toBe(200);
  });
});
