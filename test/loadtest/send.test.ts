// The open loop: requests leave when they are due whatever the server does, and every time counts from that moment.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { sendAll, type DueRequest } from '../../engine/loadtest/send.ts';
import { stubServer, writeAnswer, type StubServer } from './stub-server.ts';

const servers: StubServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function answering(answer: Parameters<typeof stubServer>[0]): Promise<StubServer> {
  const server = await stubServer(answer);
  servers.push(server);
  return server;
}

const due = (count: number, everyMs: number): DueRequest[] =>
  Array.from({ length: count }, (_, i) => ({ id: `t-${i}`, atMs: i * everyMs, model: 'm', text: 'some words', answerTokens: 3 }));

const send = ({ url }: StubServer, plan: readonly DueRequest[], over: object = {}) =>
  sendAll(plan, { door: { url, headers: {} }, signal: new AbortController().signal, patienceMs: 60_000, ...over });

describe('sendAll', () => {
  it('sends all of them although none is answered, and counts the stall of each from when it was due', async () => {
    const held: (() => void)[] = [];
    let peak = 0;
    const server = await answering((response, body) => {
      held.push(() => writeAnswer(response, body));
      peak = held.length;
      if (held.length === 8) for (const answer of held.splice(0)) answer();
    });
    const samples = await send(server, due(8, 20));
    expect(peak).toBe(8);
    expect(samples.map(({ failure }) => failure)).toEqual(Array(8).fill(null));
    for (const [i, sample] of samples.entries()) {
      expect(sample.sentMs).toBeGreaterThanOrEqual(sample.dueMs - 2);
      // The first answer came when the last request had been sent.
      expect((sample.firstMs ?? 0) - sample.dueMs).toBeGreaterThanOrEqual((7 - i) * 20 - 2);
      expect(sample.gapsMs).toHaveLength(2);
    }
    expect(samples[0]).toMatchObject({ promptTokens: 12, completionTokens: 3, status: 200 });
  });

  it('tells refusals, cut answers, errors in the stream and silence apart', async () => {
    const server = await answering((response, body, i) => {
      if (i === 0) return void response.writeHead(429).end('{"error":{"message":"Too many."}}');
      if (i === 1) return void response.writeHead(200).write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n', () => response.destroy());
      if (i === 2) return void response.writeHead(200).end('data: {"error":{"message":"It broke."}}\n\ndata: [DONE]\n\n');
      if (i === 3) return void response.destroy();
      if (i === 4) return undefined;
      return writeAnswer(response, body);
    });
    const samples = await send(server, due(6, 40), { patienceMs: 300 });
    expect(samples.map(({ status, failure }) => [status, failure === null ? null : failure.split(' ')[0]])).toEqual([
      [429, 'Too'],
      [200, 'aborted'],
      [200, 'It'],
      [0, 'socket'],
      [0, 'No'],
      [200, null],
    ]);
  });

  it('ends at once when it is cancelled, without those that were not due', async () => {
    const stopped = new AbortController();
    const server = await answering(() => undefined);
    const sending = send(server, due(50, 50), { signal: stopped.signal });
    while (server.asked.length < 2) await delay(5);
    stopped.abort(new Error('Cancelled.'));
    const samples = await sending;
    expect(samples.length).toBeLessThan(50);
    expect(new Set(samples.map(({ failure }) => failure))).toEqual(new Set(['Cancelled.']));
  });
});
