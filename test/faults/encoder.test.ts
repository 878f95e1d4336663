// The real encoder under faults: its process killed in the middle of batches, and inputs made to hurt, while others go on asking.
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convertedEncoder, ENCODER, ownDataDir, type Served, serve } from '../served.ts';
import { readStatus } from './status.ts';

let served: Served;

beforeAll(async () => {
  served = await serve({ dataDir: await ownDataDir(await convertedEncoder()) });
}, 600_000);
afterAll(async () => {
  await served.stop();
  await rm(served.dataDir, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly code: string | null;
  readonly param: string | null;
  readonly vectors: readonly (readonly number[])[];
}

async function embed(input: unknown, extra: object = {}): Promise<Answer> {
  return send(JSON.stringify({ model: ENCODER, input, ...extra }));
}

async function send(body: string): Promise<Answer> {
  const response = await fetch(`${served.url}/v1/embeddings`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { data = [], error } = (await response.json()) as {
    data?: { embedding: number[] }[];
    error?: { code: string; param: string | null };
  };
  return {
    status: response.status,
    code: error?.code ?? null,
    param: error?.param ?? null,
    vectors: data.map(({ embedding }) => embedding),
  };
}

async function encoderPid(): Promise<number> {
  const pid = (await readStatus(served.url)).models.find(({ id }) => id === ENCODER)?.running?.pid;
  if (pid === undefined) throw new Error('The encoder is not running.');
  return pid;
}

const sentence = (seed: number): string =>
  Array.from({ length: 40 }, (_, at) => ['river', 'stone', 'mill', 'wheel', 'grain'][(seed * 7 + at * at) % 5]).join(' ');

describe.each(['SIGKILL', 'SIGSEGV'] as const)('a runner ended by %s in the middle of its batches', (signal) => {
  it('has each of its requests computed by the next one, with the same vectors', async () => {
    const calm = await Promise.all(Array.from({ length: 32 }, (_, seed) => embed(sentence(seed))));
    const before = await encoderPid();
    const asked = Array.from({ length: 32 }, (_, seed) => embed(Array.from({ length: 16 }, () => sentence(seed))));
    await workBegins();
    process.kill(before, signal);
    const answers = await Promise.all(asked);
    expect(answers.map(({ status, code }) => code ?? status)).toEqual(Array(32).fill(200));
    answers.forEach(({ vectors }, seed) => expect(vectors).toEqual(Array(16).fill(calm[seed]?.vectors[0])));
    expect(await encoderPid()).not.toBe(before);
  }, 120_000);
});

it('ends requests with a typed error when their second process dies too', async () => {
  const first = await encoderPid();
  const asked = Array.from({ length: 16 }, (_, seed) => embed(Array.from({ length: 64 }, () => sentence(seed))));
  await workBegins();
  process.kill(first, 'SIGKILL');
  await until(async () => (await encoderPid().catch(() => first)) !== first);
  process.kill(await encoderPid(), 'SIGKILL');
  const answers = await Promise.all(asked);
  const codes = new Set(answers.map(({ status, code }) => `${status} ${code}`));
  // Those that were answered in between are whole; the others say what happened.
  for (const code of codes) expect(['200 null', '502 runner_died']).toContain(code);
  expect(codes).toContain('502 runner_died');
  expect((await embed('river')).status).toBe(200);
}, 120_000);

describe('inputs made to hurt', () => {
  const long = (text: string, count: number): string => text.repeat(count);

  it.each([
    ['an empty text', '', 400, 'invalid_request'],
    ['an empty list', [], 400, 'invalid_request'],
    ['2,049 texts', Array(2049).fill('a'), 400, 'invalid_request'],
    ['10 MB of words', long('river stone ', 850_000), 400, 'context_length_exceeded'],
    ['a million As', long('A', 1_000_000), 200, null],
    ['ten million spaces', long(' ', 10_000_000), null, null],
    ['a million ideographs', long('水', 1_000_000), 400, 'context_length_exceeded'],
    ['token ids beyond the vocabulary', [101, 99_999, 102], 400, 'invalid_request'],
  ])('%s: a clear refusal or an answer, and nobody else waits for it', async (_name, input, status, code) => {
    const others = askOthers();
    const answer = await embed(input);
    const asked = await others.stop();
    if (status !== null) expect(answer).toMatchObject({ status, code });
    else expect([200, 400]).toContain(answer.status);
    expect(new Set(asked)).toEqual(new Set([200]));
  });

  it.each([
    ['a lone surrogate', '"\\ud800"'],
    ['NaN among token ids', '[101, NaN]'],
    ['a number beyond a double', '[1e999]'],
    ['null among token ids', '[[101, null]]'],
  ])('%s: a 400', async (_name, input) => {
    expect(await send(`{"model":"${ENCODER}","input":${input}}`)).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('cut when asked to, to the vector of their beginning', async () => {
    const [cut, beginning] = await Promise.all([embed(long('river ', 5000), { truncate: true }), embed(long('river ', 254))]);
    expect(cut.status).toBe(200);
    expect(cut.vectors).toEqual(beginning.vectors);
  });
});

/** Another client that asks for a short text again and again. */
function askOthers(): { stop(): Promise<readonly number[]> } {
  let over = false;
  const statuses: number[] = [];
  const asking = (async () => {
    do statuses.push((await embed('stone')).status);
    while (!over);
  })();
  return {
    stop: async () => {
      over = true;
      await asking;
      return statuses;
    },
  };
}

/** Until the encoder has texts on the device. */
function workBegins(): Promise<void> {
  return until(async () => ((await readStatus(served.url)).models[0]?.running?.runningRequests ?? 0) > 0);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
