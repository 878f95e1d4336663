// A client that goes away frees its slot, whether it was streaming, waiting for a whole answer, or still queueing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Served, serve } from '../served.ts';
import { readStatus, runningModel } from './status.ts';
import { chatBody, openStream, postChat } from './stream.ts';

/** More than the model makes while the test waits for it to stop. */
const ENDLESS = { prompt: 'Tell me a story without an end.', maxTokens: 1500 };
let served: Served;

beforeAll(async () => {
  served = await serve({ args: ['--slots', '2', '--ctx', '2048'] });
}, 600_000);
afterAll(() => served.stop());

const isIdle = async (): Promise<boolean> => {
  const running = await runningModel(served.url);
  return running?.runningRequests === 0 && running.waitingRequests === 0 && (await readStatus(served.url)).openRequests === 0;
};
const isBusy = async (): Promise<boolean> => ((await runningModel(served.url))?.runningRequests ?? 0) > 0;

describe('a client that vanishes', () => {
  it('while it streams', async () => {
    const stream = openStream(served.url, ENDLESS);
    await stream.firstText;
    stream.vanish();
    await stream.ended;
    await expect.poll(isIdle, { timeout: 5_000, interval: 20 }).toBe(true);
  });

  it('while it waits for a whole answer', async () => {
    const controller = new AbortController();
    const answer = postChat(served.url, chatBody(ENDLESS, false), controller.signal).catch(() => null);
    await expect.poll(isBusy, { timeout: 5_000, interval: 20 }).toBe(true);
    controller.abort();
    expect(await answer).toBeNull();
    await expect.poll(isIdle, { timeout: 5_000, interval: 20 }).toBe(true);
  });

  it('while it queues, and its place goes to the next', async () => {
    const running = [openStream(served.url, ENDLESS), openStream(served.url, { ...ENDLESS, prompt: 'Another one.' })];
    await Promise.all(running.map((stream) => stream.firstText));
    const [queued, next] = [openStream(served.url, ENDLESS), openStream(served.url, { prompt: 'Say hello.', maxTokens: 3 })];
    await expect.poll(async () => (await runningModel(served.url))?.waitingRequests, { timeout: 5_000, interval: 20 }).toBe(2);
    queued.vanish();
    running[0]?.vanish();
    expect(await next.ended).toEqual({ kind: 'done' });
    expect(queued.texts()).toBe(0);
    running[1]?.vanish();
    await expect.poll(isIdle, { timeout: 5_000, interval: 20 }).toBe(true);
  });
});
