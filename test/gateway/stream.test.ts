// What happens on real connections: cuts, slow readers, vanished clients, long waits.
import { connect, type Socket } from 'node:net';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.ts';
import { ask, eventsOf, post, rawExchange, serving, until } from './serving.ts';

const CHAT = '/v1/chat/completions';

/** Sends a chat and leaves the rest to the test. */
function open(port: number, body: object): Socket {
  const text = JSON.stringify(body);
  const socket = connect(port, '127.0.0.1');
  const head = `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n`;
  socket.write(head + text);
  return socket;
}

describe('a client that vanishes', () => {
  it.each([
    ['in mid-stream', { stream: true }, 1],
    ['before a stream begins', { stream: true }, 0],
    ['while it waits for a whole answer', {}, 1],
  ])('%s frees its slot', async (_when, extra, steps) => {
    const { host, port } = await serving({ stepMs: null, answer: () => 'x'.repeat(100) });
    const socket = open(port, ask(extra));
    await until(() => host.openCount === 1);
    for (let step = 0; step < steps; step++) host.step();
    socket.destroy();
    await until(() => host.openCount === 0);
    expect(host.cancelled).toBe(1);
  });

  it('cancels every prompt of its request', async () => {
    const { host, url } = await serving({ stepMs: null });
    const abort = new AbortController();
    const gone = post(`${url}/v1/completions`, { model: 'fake', prompt: ['a', 'b', 'c'] }, { signal: abort.signal }).catch(() => 'gone');
    await until(() => host.openCount === 3);
    abort.abort();
    await until(() => host.openCount === 0);
    expect(await gone).toBe('gone');
    expect(host.cancelled).toBe(3);
  });
});

describe('a client that does not read', () => {
  it('is cut once too much waits for it', async () => {
    const { host, port } = await serving({ stepMs: null, answer: () => 'x'.repeat(1_000_000) }, { limits: { unreadBytes: 50_000 } });
    const socket = open(port, ask({ stream: true }));
    socket.pause();
    await until(() => host.openCount === 1);
    while (host.openCount > 0) {
      for (let step = 0; step < 100 && host.openCount > 0; step++) host.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(host.cancelled).toBe(1);
    socket.destroy();
  });
});

describe('a reader of a whole answer', () => {
  it('is cut when it does not take its end', async () => {
    const models = Array.from({ length: 30_000 }, (_, at) => `${at}`.padStart(80, 'n'));
    const { port } = await serving({ models }, { limits: { unreadMs: 30 } });
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    // Reading nothing, it notices the cut only when it writes into the closed connection.
    const cut = new Promise((resolve) => socket.once('error', resolve));
    const writer = setInterval(() => socket.write('\r\n'), 5);
    await cut;
    clearInterval(writer);
    socket.destroy();
  });
});

describe('a long wait', () => {
  it('sends headers and comments before the first token, and between tokens', async () => {
    const { host, port } = await serving({ stepMs: null, answer: () => 'ab' }, { limits: { firstByteMs: 5, commentMs: 5 } });
    const socket = open(port, ask({ stream: true }));
    let text = '';
    socket.setEncoding('utf8').on('data', (part) => (text += part));
    // While it waits its place is told instead.
    const comments = (): number => (text.match(/^: (keep-alive|queue position=1)$/gm) ?? []).length;
    await until(() => comments() >= 2);
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*x-millrace-queue-position: 1\r\n[^]*: queue position=1\n\n/);
    host.step();
    const before = comments();
    await until(() => comments() > before);
    host.step();
    await until(() => text.includes('[DONE]'));
    socket.destroy();
  });

  it('turns a late refusal into an error frame', async () => {
    const failure = { error: new EngineError('model_load_failed', 'No room.'), afterSteps: 0 };
    const { host, url } = await serving({ stepMs: null, failure }, { limits: { firstByteMs: 1 } });
    const response = await post(url + CHAT, ask({ stream: true }));
    host.step();
    expect((await eventsOf(response)).map((event) => JSON.parse(event))).toMatchObject([{ error: { code: 'model_load_failed' } }]);
  });
});

describe('the bytes of a stream', () => {
  it('leave in one write a step, however many choices it brings', async () => {
    const { host, port } = await serving({ stepMs: null, answer: () => 'abc' });
    const socket = open(port, ask({ stream: true, n: 4 }));
    const writes: string[] = [];
    socket.setEncoding('utf8').on('data', (part) => writes.push(String(part)));
    await until(() => host.openCount === 1);
    for (let step = 1; step <= 2; step++) {
      host.step();
      await until(() => writes.join('').split('"content":"').length - 1 === 4 + 4 * step);
    }
    // HTTP's chunks are the writes: a size line and its data each.
    expect(
      writes
        .join('')
        .split('\r\n\r\n')
        .slice(1)
        .join('')
        .match(/^[0-9a-f]+\r\n/gm),
    ).toHaveLength(2);
    socket.destroy();
  });

  it('parse the same wherever they are cut', async () => {
    const { url } = await serving({ answer: () => 'a "quoted"\n\nline é' });
    const bytes = Buffer.from(await (await post(url + CHAT, ask({ stream: true }))).arrayBuffer());
    const whole = parseCut(bytes, []);
    expect(whole.at(-1)).toBe('[DONE]');
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
        expect(parseCut(bytes, cuts)).toEqual(whole);
      }),
    );
  });

  it('keep the connection for the next request', async () => {
    const { port } = await serving();
    const body = JSON.stringify(ask({ stream: true }));
    const head = `POST ${CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = await rawExchange(port, `${head}${body}GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(answer).toContain('"status":"ok"');
  });
});

function parseCut(bytes: Buffer, cuts: readonly number[]): string[] {
  const events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(data) });
  const decoder = new TextDecoder();
  const borders = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  for (let at = 1; at < borders.length; at++) parser.feed(decoder.decode(bytes.subarray(borders[at - 1], borders[at]), { stream: true }));
  return events;
}
