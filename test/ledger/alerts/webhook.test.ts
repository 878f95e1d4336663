import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertChange } from '../../../engine/ledger/alerts/evaluate.ts';
import { sign, Webhook } from '../../../engine/ledger/alerts/webhook.ts';
import { Receiver } from './receiver.ts';

const NOW = 1_700_000_000_000;
const SECRET = 'a secret of the user’s own';
const CHANGE: AlertChange = {
  kind: 'fired',
  muted: false,
  alert: {
    id: 'queue:mill:1',
    ruleId: 'queue',
    name: 'Long queue',
    subject: 'mill',
    sinceMs: NOW,
    value: 143,
    threshold: 100,
    sentence: 'The queue of mill is 143 requests.',
    remedy: 'Add slots.',
    endedMs: null,
    peak: 143,
  },
};

describe('Webhook', () => {
  const receiver = new Receiver();
  let waits: number[];
  let lines: { readonly msg: string; readonly reason?: string; readonly level: number }[];
  let webhook: Webhook;
  let url: string;

  beforeEach(async () => {
    receiver.received.length = 0;
    receiver.replies.length = 0;
    waits = [];
    lines = [];
    const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
    const wait = async (ms: number): Promise<void> => void waits.push(ms);
    webhook = new Webhook({ log, now: () => NOW, wait });
    url ??= await receiver.open();
  });
  afterEach(() => webhook.close());

  /** Resolves when everything given to `send` has been dealt with. */
  async function settled(count: number): Promise<void> {
    while (lines.filter(({ msg }) => msg.includes('webhook')).length < count) await new Promise((resolve) => setImmediate(resolve));
  }

  it('makes the signature of the specification’s own example', () => {
    const example = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', seconds: 1_614_265_330, body: '{"test": 2432232314}' };
    expect(sign({ ...example, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('sends the alert and nothing else, signed', async () => {
    webhook.send({ url, secret: SECRET }, CHANGE);
    await settled(1);
    const [message] = receiver.received;
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = message?.headers ?? {};
    expect(timestamp).toBe('1700000000');
    const expected = createHmac('sha256', SECRET)
      .update(`${String(id)}.1700000000.${message?.body ?? ''}`)
      .digest('base64');
    expect(signature).toBe(`v1,${expected}`);
    expect(JSON.parse(message?.body ?? '')).toEqual({
      type: 'alert.fired',
      timestamp: '2023-11-14T22:13:20.000Z',
      data: {
        id: 'queue:mill:1',
        rule: 'queue',
        name: 'Long queue',
        subject: 'mill',
        since: '2023-11-14T22:13:20.000Z',
        ended: null,
        value: 143,
        peak: 143,
        threshold: 100,
        sentence: 'The queue of mill is 143 requests.',
        remedy: 'Add slots.',
      },
    });
  });

  it('tries again after faults, with the same id and growing waits, then goes on with the next', async () => {
    receiver.replies.push(500, 'hang up', 429);
    webhook.send({ url, secret: null }, CHANGE);
    webhook.send({ url, secret: null }, { ...CHANGE, kind: 'ended' });
    await settled(2);
    const types = receiver.received.map(({ body }) => (JSON.parse(body) as { readonly type: string }).type);
    expect(types).toEqual(['alert.fired', 'alert.fired', 'alert.fired', 'alert.fired', 'alert.ended']);
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids.slice(0, 4)).size).toBe(1);
    expect(ids[4]).not.toBe(ids[0]);
    expect(waits).toEqual([1_000, 5_000, 30_000]);
    expect(receiver.received[0]?.headers['webhook-signature']).toBeUndefined();
  });

  it('gives up after five tries, and says why', async () => {
    receiver.replies.push(503, 503, 503, 503, 503);
    webhook.send({ url, secret: null }, CHANGE);
    await settled(1);
    expect(receiver.received).toHaveLength(5);
    expect(lines.at(-1)).toMatchObject({ level: 40, reason: 'it answered with status 503' });
  });

  it('does not follow a redirect, nor repeat what is refused', async () => {
    receiver.replies.push({ redirectTo: '/elsewhere' }, 404);
    webhook.send({ url, secret: SECRET }, CHANGE);
    webhook.send({ url, secret: SECRET }, CHANGE);
    await settled(2);
    expect(receiver.received.map(({ path }) => path)).toEqual(['/hook', '/hook']);
    expect(lines.map(({ reason }) => reason)).toEqual([
      'it answered with status 302: redirects are not followed',
      'it answered with status 404',
    ]);
  });

  it('tries a test once', async () => {
    expect(await webhook.test({ url, secret: SECRET })).toEqual({ kind: 'delivered', status: 204 });
    receiver.replies.push(500);
    expect(await webhook.test({ url, secret: SECRET })).toEqual({ kind: 'failed', reason: 'it answered with status 500' });
    expect(await webhook.test({ url: 'http://127.0.0.1:1/', secret: null })).toMatchObject({ kind: 'failed' });
    expect(receiver.received).toHaveLength(2);
  });

  it('does not wait for ever', async () => {
    const hasty = new Webhook({ log: pino({ level: 'silent' }), timeoutMs: 30 });
    receiver.replies.push('no answer');
    expect(await hasty.test({ url, secret: null })).toEqual({ kind: 'failed', reason: 'no answer within 0.03 s' });
  });

  it('gives up what waits when it is closed, and takes nothing after that', async () => {
    const log = pino({ level: 'silent' });
    const waiting = new Webhook({ log });
    receiver.replies.push(500);
    waiting.send({ url, secret: null }, CHANGE);
    while (receiver.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await waiting.close();
    waiting.send({ url, secret: null }, CHANGE);
    await waiting.close();
    expect(receiver.received).toHaveLength(1);
  });

  it('keeps at most fifty messages waiting', async () => {
    for (let at = 0; at < 80; at += 1) webhook.send({ url, secret: null }, CHANGE);
    await settled(30);
    while (receiver.received.length < 51) await new Promise((resolve) => setImmediate(resolve));
    await webhook.close();
    expect(receiver.received).toHaveLength(51);
    await receiver.close();
  });
});
