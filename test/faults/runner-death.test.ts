// A runner that dies under load: its streams end with a typed error, untouched requests are repeated, the gateway goes on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serve } from '../served.ts';
import { runnerPid } from './status.ts';
import { openStream, postChat, chatBody } from './stream.ts';

const STREAMS = 32;
let served: Served;

beforeAll(async () => {
  served = await serve({ args: ['--slots', '8'] });
}, 600_000);
afterAll(() => served.stop());

describe.each(['SIGKILL', 'SIGSEGV'] as const)('%s', (signal) => {
  it('ends each stream with a typed error, repeats what had not begun, and keeps answering', async () => {
    const order: string[] = [];
    const streams = Array.from({ length: STREAMS }, (_, i) =>
      openStream(served.url, { prompt: `${signal} story number ${i}`, maxTokens: 64 }),
    );
    streams.forEach((stream, i) => void stream.ended.then(({ kind }) => order.push(`${kind} ${i}`)));
    await Promise.race(streams.map((stream) => stream.firstText));
    const before = await runnerPid(served.url);
    const begun = streams.map((stream) => stream.texts() > 0);
    process.kill(before, signal);
    const health = await healthUntil(Promise.all(streams.map((stream) => stream.ended)));
    const endings = await Promise.all(streams.map((stream) => stream.ended));
    endings.forEach((ending, i) => {
      if (begun[i]) expect(ending).toEqual({ kind: 'error', code: 'runner_died', status: 200 });
      else
        expect([ending.kind, 'code' in ending ? ending.code : null]).toBeOneOf([
          ['done', null],
          ['error', 'runner_died'],
        ]);
    });
    expect(begun.filter(Boolean).length).toBeLessThanOrEqual(8);
    expect(endings.filter((ending) => ending.kind === 'done').length).toBeGreaterThanOrEqual(STREAMS - 8 - 8);
    // The errors were told at once: before the new runner had finished any of the repeated requests.
    const lastError = order.findLastIndex((entry) => entry.startsWith('error'));
    expect(lastError).toBeLessThan(order.findIndex((entry) => entry.startsWith('done')));
    expect(new Set(health)).toEqual(new Set([200]));
    expect(await runnerPid(served.url)).not.toBe(before);
  }, 240_000);
});

it('answers as before after that', async () => {
  const response = await postChat(served.url, chatBody({ prompt: 'Say hello.', maxTokens: 4 }, false));
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ usage: { completion_tokens: 4 } });
});

/** Statuses of the health page, asked again and again until `end` resolves. */
async function healthUntil(end: Promise<unknown>): Promise<readonly number[]> {
  const statuses: number[] = [];
  let over = false;
  void end.then(() => (over = true));
  while (!over) {
    statuses.push((await fetch(`${served.url}/health`)).status);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return statuses;
}
