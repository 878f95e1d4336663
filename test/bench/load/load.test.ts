// The load generator itself: arrivals, parsing of what arrives in any pieces, and real sockets.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadGenerator } from './generate.ts';
import { chatBodies, poissonArrivals } from './plan.ts';
import { type Read, digest } from './response.ts';
import { summarise } from './summary.ts';

const event = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
const USAGE = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 } })}\n\n`;
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const ANSWER = [': keep-alive\n\n', event('añ'), event('☂'), event('c'), USAGE, 'data: [DONE]\n\n'];
const RESPONSE = Buffer.from(`${HEAD}${ANSWER.map(chunk).join('')}0\r\n\r\n`);

/** The response cut at these places, one read a millisecond. */
function cut(response: Buffer, places: readonly number[]): readonly Read[] {
  const borders = [0, ...places.map((place) => place % response.length).sort((a, b) => a - b), response.length];
  return borders.slice(1).map((end, i) => ({ atMs: i + 1, bytes: response.subarray(borders[i], end) }));
}

describe('digest', () => {
  it('finds the same texts however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (places) => {
        const sample = digest({ sentMs: 0, reads: cut(RESPONSE, places), failure: null });
        expect(sample).toMatchObject({ ok: true, status: 200, outputTokens: 3, promptTokens: 9 });
        expect(sample.gapsMs).toHaveLength(2);
      }),
    );
  });

  it('stamps a text with the read that completed it', () => {
    const second = RESPONSE.indexOf('data', RESPONSE.indexOf('☂')) - 3;
    const sample = digest({ sentMs: 0.5, reads: cut(RESPONSE, [RESPONSE.indexOf('añ'), second]), failure: null });
    expect(sample.ttftMs).toBe(1.5);
    expect(sample.gapsMs).toEqual([0, 1]);
  });

  it('counts an error frame, an error status and a cut connection as failures', () => {
    const asExchange = (text: string, failure: string | null = null) => ({
      sentMs: 0,
      reads: [{ atMs: 1, bytes: Buffer.from(text) }],
      failure,
    });
    const plainHead = 'HTTP/1.1 200 OK\r\n\r\n';
    const frame = digest(asExchange(`${plainHead}${event('a')}data: {"error":{"code":"runner_died"}}\n\n`));
    expect(frame).toMatchObject({ ok: false, failure: expect.stringContaining('runner_died') });
    const busy = digest(asExchange('HTTP/1.1 429 Too Many Requests\r\n\r\n{"error":1}'));
    expect(busy).toMatchObject({ ok: false, status: 429, failure: '{"error":1}' });
    expect(digest(asExchange(`${plainHead}${event('a')}`, 'ECONNRESET'))).toMatchObject({ ok: false, failure: 'ECONNRESET' });
  });
});

describe('plan', () => {
  it('spaces Poisson arrivals like an exponential, the same for the same seed', () => {
    const atMs = poissonArrivals(4000, 10, 7);
    expect(poissonArrivals(4000, 10, 7)).toEqual(atMs);
    const gaps = atMs.slice(1).map((value, i) => value - (atMs[i] ?? 0));
    const mean = gaps.reduce((total, gap) => total + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((total, gap) => total + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean).toBeGreaterThan(92);
    expect(mean).toBeLessThan(108);
    expect(deviation / mean).toBeGreaterThan(0.9);
    expect(deviation / mean).toBeLessThan(1.1);
  });

  it('makes prompts that share only what they should', () => {
    const bodies = chatBodies({ model: 'm', promptWords: 20, sharedWords: 50, maxTokens: 8 }, 10, 3);
    const messages = bodies.map((body) => (JSON.parse(body) as { messages: { content: string }[] }).messages);
    expect(new Set(messages.map(([system]) => system?.content)).size).toBe(1);
    expect(new Set(messages.map(([, user]) => user?.content)).size).toBe(10);
  });
});

describe('generator', () => {
  it.each([{ kind: 'closed', clients: 2 } as const, { kind: 'open', atMs: [0, 5, 10, 15, 20] } as const])(
    'sends every body once: $kind',
    async (arrivals) => {
      const seen: string[] = [];
      let [inFlight, most] = [0, 0];
      const server = createServer((request, response) => {
        most = Math.max(most, (inFlight += 1));
        request.setEncoding('utf8').on('data', (body: string) => seen.push(body));
        request.on('end', () =>
          setImmediate(() => {
            inFlight -= 1;
            response.end(ANSWER.join(''));
          }),
        );
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const bodies = ['1', '2', '3', '4', '5'];
      using generator = new LoadGenerator();
      const { samples } = await generator.run({
        port: (server.address() as AddressInfo).port,
        path: '/',
        bodies,
        arrivals,
        limitMs: 20_000,
      });
      server.close();
      expect(seen.toSorted()).toEqual(bodies);
      expect(samples.every((sample) => sample.ok)).toBe(true);
      expect(summarise(samples)).toMatchObject({ requests: 5, failed: 0 });
      if (arrivals.kind === 'closed') expect(most).toBeLessThanOrEqual(2);
    },
  );

  it('reports a server that is not there', async () => {
    using generator = new LoadGenerator();
    const { samples } = await generator.run({
      port: 1,
      path: '/',
      bodies: ['x'],
      arrivals: { kind: 'closed', clients: 1 },
      limitMs: 20_000,
    });
    expect(samples[0]).toMatchObject({ ok: false, status: 0, failure: expect.stringContaining('ECONNREFUSED') });
  });
});

describe('summary', () => {
  it('counts goodput only within the service level', () => {
    const base = { ok: true, status: 200, failure: null, sentMs: 0, endMs: 1000, outputTokens: 10, promptTokens: 1, cachedTokens: 0 };
    const samples = [
      { ...base, ttftMs: 100, gapsMs: [10, 10] },
      { ...base, ttftMs: 6000, gapsMs: [10, 10] },
      { ...base, ttftMs: 100, gapsMs: [10, 400] },
    ];
    expect(summarise(samples)).toMatchObject({ outputTokensPerSecond: 30, goodput: 10, wideGoodput: 20 });
  });
});
