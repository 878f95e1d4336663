// The live feed: what it says while requests run, and that a follower costs nothing once it is gone or does not read.
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { NowSnapshot } from '../../../engine/contract.ts';
import { LiveFeed, type FrameSink } from '../../../engine/gateway/console/live-feed.ts';
import { bannersOf } from '../../../engine/gateway/console/snapshot.ts';
import { ask, post, until } from '../serving.ts';
import { ALERT, consoling, JOB } from './consoling.ts';

/** Each moment that the feed tells, until the caller stops. */
async function* follow(url: string, signal: AbortSignal): AsyncGenerator<NowSnapshot> {
  const response = await fetch(`${url}/api/live`, { signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  if (response.body === null) return;
  for await (const { event, data } of response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())) {
    expect(event).toBe('now');
    yield JSON.parse(data) as NowSnapshot;
  }
}

/** The first moment that is as wanted. */
async function momentWhere(url: string, wanted: (now: NowSnapshot) => boolean): Promise<NowSnapshot> {
  const controller = new AbortController();
  for await (const now of follow(url, controller.signal)) {
    if (!wanted(now)) continue;
    controller.abort();
    return now;
  }
  throw new Error('The feed ended.');
}

describe('GET /api/live', () => {
  it('tells which requests run and wait, and where each is', async () => {
    const { host, url } = await consoling({ stepMs: null, slots: 1, answer: () => 'abc' });
    const answers = [1, 2].map(() => post(`${url}/v1/chat/completions`, ask(), { headers: { 'content-type': 'application/json' } }));
    await until(() => host.openCount === 2);
    host.step();
    const now = await momentWhere(url, () => true);
    expect(now).toMatchObject({ version: '1.2.3', state: 'serving', address: url, quality: { kind: 'not_measured' }, banners: [] });
    expect(now.queue).toMatchObject({ running: 1, waiting: 1 });
    expect(now.requests).toMatchObject([
      { phase: 'decode', endpoint: '/v1/chat/completions', model: 'fake', modelAsked: 'fake', completionTokens: 1, position: null },
      { phase: 'queued', position: 1, completionTokens: 0 },
    ]);
    expect(now.alerts).toEqual([ALERT]);
    expect(now.jobs).toEqual([JOB]);
    for (let step = 0; step < 8; step++) host.step();
    await Promise.all(answers);
    const idle = await momentWhere(url, ({ requests }) => requests.length === 0);
    expect(idle.queue).toMatchObject({ running: 0, waiting: 0 });
    expect(idle.queue.waitP50Ms).not.toBeNull();
  });

  it('goes on while the server drains, and ends with it', async () => {
    const { gateway, host, url } = await consoling({ stepMs: null });
    const open = post(`${url}/v1/chat/completions`, ask({ stream: true }));
    await until(() => host.openCount === 1);
    const states: string[] = [];
    const followed = (async () => {
      for await (const { state } of follow(url, new AbortController().signal)) states.push(state);
    })();
    await until(() => states.length > 0);
    const closed = gateway.close({ drainMs: 60_000 });
    await until(() => states.includes('draining'));
    while (host.openCount > 0) host.step();
    await (await open).text();
    await Promise.all([followed, closed]);
    expect(states[0]).toBe('serving');
  });

  it('cuts off a reader whose socket stays full, while others see each moment', async () => {
    // Larger than what the system holds for a reader that does not read.
    const large = { ...ALERT, sentence: 'x'.repeat(4_000_000) };
    const alerts = { active: () => [large], snooze: () => false, testWebhook: async () => null, sloOf: () => expect.fail('not asked') };
    const { port, url } = await consoling({}, { alerts });
    const slow = connect(port, '127.0.0.1');
    const closed = once(slow, 'close');
    slow.on('error', () => undefined);
    slow.write(`GET /api/live HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
    await once(slow, 'readable');
    // From here on it takes nothing.
    slow.pause();
    const controller = new AbortController();
    const moments = follow(url, controller.signal);
    for (let seen = 0; seen < 40; seen++) expect((await moments.next()).value?.alerts).toHaveLength(1);
    controller.abort();
    let bytes = 0;
    slow.on('data', (piece: Buffer) => (bytes += piece.length));
    slow.resume();
    await closed;
    // It got what lay in between, and no frame for each of the moments.
    expect(bytes).toBeLessThan(20 * large.sentence.length);
  });

  it('says what is wrong with the history in a banner', async () => {
    const { ledger, url } = await consoling();
    ledger.health = { kind: 'disk_full', sinceMs: 1, sentence: 'The disk is full.', detail: 'ENOSPC', lost: 3 };
    const { banners } = await momentWhere(url, () => true);
    expect(banners).toEqual([
      { id: 'history-disk_full', tone: 'problem', text: 'The disk is full. 3 records could not be kept.', detail: 'ENOSPC' },
    ]);
    expect(bannersOf({ ...ledger.health, lost: 0 })).toMatchObject([{ tone: 'warning', text: 'The disk is full.' }]);
  });
});

describe('LiveFeed', () => {
  afterEach(() => void vi.useRealTimers());

  /** A response whose reader takes nothing while `full`. */
  class Reader extends EventEmitter implements FrameSink {
    readonly frames: string[] = [];
    full = false;
    isCut = false;

    get writableLength(): number {
      return this.full ? 100_000 : 0;
    }

    write(frame: string): void {
      this.frames.push(frame);
    }

    end(): void {
      this.destroy();
    }

    destroy(): void {
      this.isCut = true;
      this.emit('close');
    }
  }

  function feeding() {
    vi.useFakeTimers();
    let made = 0;
    const faults: unknown[] = [];
    const feed = new LiveFeed({
      frame: () => {
        if (++made === 3) throw new Error('no snapshot');
        return `frame ${made}`;
      },
      periodMs: 500,
      missedFrames: 4,
      onFault: (fault) => faults.push(fault),
    });
    return { feed, faults, made: () => made };
  }

  it('makes one frame for all, none for nobody, and goes on after a fault', () => {
    const { feed, faults, made } = feeding();
    vi.advanceTimersByTime(5_000);
    expect(made()).toBe(0);
    const [one, other] = [new Reader(), new Reader()];
    feed.follow(one);
    feed.follow(other);
    vi.advanceTimersByTime(1_000);
    expect(one.frames).toEqual(['frame 1', 'frame 4']);
    expect(other.frames).toEqual(['frame 2', 'frame 4']);
    expect(faults).toHaveLength(1);
    for (const reader of [one, other]) reader.emit('close');
    expect(feed.followers).toBe(0);
    vi.advanceTimersByTime(5_000);
    expect(made()).toBe(4);
  });

  it('sends no frame to a reader that is behind, and cuts it off when it stays so', () => {
    const { feed } = feeding();
    const [slow, quick] = [new Reader(), new Reader()];
    feed.follow(slow);
    feed.follow(quick);
    vi.advanceTimersByTime(1_000);
    slow.full = true;
    vi.advanceTimersByTime(1_500);
    expect(slow.frames).toHaveLength(2);
    slow.full = false;
    vi.advanceTimersByTime(500);
    expect(slow.frames).toHaveLength(3);
    slow.full = true;
    vi.advanceTimersByTime(2_500);
    expect([slow.isCut, quick.isCut, feed.followers]).toEqual([true, false, 1]);
    expect(slow.frames).toHaveLength(3);
    expect(quick.frames.length).toBeGreaterThan(9);
    feed.close();
  });
});
