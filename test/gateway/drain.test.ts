import { describe, expect, it } from 'vitest';
import { ask, errorOf, eventsOf, post, serving, until } from './serving.ts';

const CHAT = '/v1/chat/completions';

describe('a draining gateway', () => {
  it('refuses new requests with 503, and lets the running stream end', async () => {
    const { gateway, host, url } = await serving({ stepMs: null, answer: () => 'abc' });
    const response = post(url + CHAT, ask({ stream: true }));
    await until(() => host.openCount === 1);
    host.step();
    const stream = await response;
    const closed = gateway.close({ drainMs: 60_000 });
    const refused = await post(url + CHAT, ask());
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(refused.headers.get('connection')).toBe('close');
    expect(await errorOf(refused)).toMatchObject({ status: 503, code: 'draining' });
    const ready = await fetch(`${url}/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { status: 'draining' }]);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    host.step();
    host.step();
    expect((await eventsOf(stream)).at(-1)).toBe('[DONE]');
    await closed;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('ends what is left after its time with an error frame', async () => {
    const { gateway, host, url } = await serving({ stepMs: null, answer: () => 'abc' });
    const response = post(url + CHAT, ask({ stream: true }));
    await until(() => host.openCount === 1);
    host.step();
    const stream = await response;
    const whole = post(url + CHAT, ask());
    await until(() => host.openCount === 2);
    await gateway.close({ drainMs: 1 });
    expect(JSON.parse((await eventsOf(stream)).at(-1) ?? '')).toMatchObject({ error: { code: 'draining' } });
    expect(await errorOf(await whole)).toMatchObject({ status: 503, code: 'draining' });
    expect(host.cancelled).toBe(2);
  });
});
