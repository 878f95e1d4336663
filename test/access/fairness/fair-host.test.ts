import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairHost } from '../../../engine/access/fairness/fair-host.ts';
import type { Priority } from '../../../engine/contract.ts';
import type { GenerateRequest, Generation, RequestCaller } from '../../../engine/fleet/host.ts';
import { PLAIN_SAMPLING, type GenerateEvent } from '../../../engine/runner/protocol.ts';
import { FakeHost, type FakeHostOptions } from '../../fakes/host.ts';

const PARAMS = { sampling: PLAIN_SAMPLING, maxTokens: 4, stop: [], topLogprobs: null, promptLogprobs: false, n: 1, ignoreEos: false };

const callerOf = (tenant: string, priority: Priority = 'normal', models: readonly string[] | null = null): RequestCaller => ({
  tenant,
  keyId: tenant,
  priority,
  models,
  upstreamUsdLeft: null,
  isDegraded: false,
});

interface Sent {
  readonly tenant: string;
  readonly events: GenerateEvent[];
  readonly generation: Generation;
  settled: number;
  charged: number;
}

function fairly(options: FakeHostOptions = {}, limit = 100) {
  const host = new FakeHost({ stepMs: null, slots: 4, answer: () => 'abcd', stepDeviceMs: 4, ...options });
  let nowMs = 0;
  const fair = new FairHost({ host, limit, now: () => nowMs });
  const send = (tenant: string, changes: Partial<GenerateRequest> = {}, priority: Priority = 'normal'): Sent => {
    const events: GenerateEvent[] = [];
    const request: GenerateRequest = {
      model: 'fake',
      prompt: { kind: 'text', text: tenant },
      params: PARAMS,
      caller: callerOf(tenant, priority),
      onCharge: (deviceMs) => (sent.charged += deviceMs),
      onSettled: () => sent.settled++,
      ...changes,
    };
    const sent: Sent = { tenant, events, settled: 0, charged: 0, generation: fair.generate(request, (event) => events.push(event)) };
    return sent;
  };
  /** Decode steps of the model, with the time for messages between. */
  const steps = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at++) {
      await turn();
      nowMs += 10;
      host.step();
    }
    await turn();
  };
  return { host, fair, send, steps, advance: (ms: number) => (nowMs += ms) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const lastKind = ({ events }: Sent): string | undefined => events.at(-1)?.kind;
const started = (sent: readonly Sent[]): number => sent.filter(({ events }) => events.length > 0).length;

describe('a fair host', () => {
  it('lets a newcomer run after what runs already, not after the flood that waits', async () => {
    const { send, steps } = fairly();
    const flood = Array.from({ length: 40 }, () => send('flood'));
    await steps(1);
    const calm = send('calm');
    await steps(8);
    expect(lastKind(calm)).toBe('done');
    expect(started(flood)).toBeLessThan(16);
    await steps(100);
    expect(flood.every((sent) => lastKind(sent) === 'done')).toBe(true);
  });

  it('keeps a slot for a tenant that comes again and again, so that it starts at once', async () => {
    const { send, steps } = fairly();
    const first = send('calm');
    await steps(6);
    expect(lastKind(first)).toBe('done');
    for (let at = 0; at < 40; at++) send('flood');
    await steps(20);
    const again = send('calm');
    await steps(1);
    expect(again.events[0]?.kind).toBe('started');
  });

  it('shares device time by weight among tenants that all want more', async () => {
    const { send, steps } = fairly({ slots: 7 }, 1000);
    const interactive = Array.from({ length: 90 }, () => send('a', {}, 'interactive'));
    const normal = Array.from({ length: 90 }, () => send('b', {}, 'normal'));
    const batch = Array.from({ length: 90 }, () => send('c', {}, 'batch'));
    await steps(60);
    const charged = [interactive, normal, batch].map((sent) => sent.reduce((sum, one) => sum + one.charged, 0));
    const total = charged.reduce((sum, ms) => sum + ms, 0);
    expect(charged.map((ms) => Math.round((ms / total) * 7))).toEqual([4, 2, 1]);
  });

  it('says each waiting request’s place in the order in which they will run', async () => {
    const { send, steps } = fairly({ slots: 1 });
    const flood = Array.from({ length: 8 }, () => send('flood'));
    await steps(1);
    const calm = send('calm');
    await turn();
    expect(calm.generation.progress()).toMatchObject({ phase: 'queued', position: expect.any(Number) });
    const places = [calm, ...flood].flatMap((sent) => sent.generation.progress().position ?? []);
    expect(new Set(places).size).toBe(places.length);
    const last = flood.at(-1)?.generation.progress().position ?? 0;
    expect(calm.generation.progress().position).toBeLessThan(last);
  });

  it('refuses the flood’s youngest when the queue is full, not the newcomer', async () => {
    const { send, steps } = fairly({}, 10);
    const flood = Array.from({ length: 12 }, () => send('flood'));
    await turn();
    expect(flood.filter((sent) => lastKind(sent) === 'error')).toEqual(flood.slice(10));
    expect(flood[10]?.events).toMatchObject([{ error: { code: 'queue_full', retryAfterSeconds: expect.any(Number) } }]);
    const calm = send('calm');
    await steps(40);
    expect(lastKind(calm)).toBe('done');
    expect(lastKind(flood[9] ?? calm)).toBe('error');
  });

  it('refuses models outside a key’s scope, whoever chose them; what a tier chose is its own business', async () => {
    const { send, host } = fairly({ models: ['fake', 'other'] });
    const outside = send('a', { caller: callerOf('a', 'normal', ['other']) });
    const routed = send('b', { caller: callerOf('b', 'normal', ['auto']) });
    await turn();
    expect(outside.events).toMatchObject([{ kind: 'error', error: { code: 'permission_denied' } }]);
    expect(host.requests).toHaveLength(1);
    expect(routed.events).toEqual([]);
  });

  it('hands on what waits when it drains', async () => {
    const { send, fair, host, steps } = fairly();
    const sent = Array.from({ length: 20 }, () => send('a'));
    await turn();
    expect(host.requests.length).toBeLessThan(20);
    fair.drain();
    expect(host.requests).toHaveLength(20);
    await steps(40);
    expect(sent.every((one) => lastKind(one) === 'done')).toBe(true);
  });

  it('ends each request exactly once, cancelled ones without an event, and forgets nobody', async () => {
    const plan = fc.array(
      fc.record({
        tenant: fc.constantFrom('a', 'b', 'c'),
        priority: fc.constantFrom<Priority>('interactive', 'normal', 'batch'),
        n: fc.integer({ min: 1, max: 6 }),
        cancelAfter: fc.option(fc.nat(5), { nil: null }),
        pause: fc.nat(2),
      }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(plan, async (requests) => {
        const { send, steps, host } = fairly({ slots: 3 }, 12);
        const sent: Sent[] = [];
        for (const { tenant, priority, n, cancelAfter, pause } of requests) {
          const one = send(tenant, { params: { ...PARAMS, n } }, priority);
          sent.push(one);
          await steps(pause);
          if (cancelAfter === null) continue;
          await steps(cancelAfter);
          const before = one.events.length;
          const wasOver = lastKind(one) === 'done' || lastKind(one) === 'error';
          one.generation.cancel();
          await turn();
          expect(one.events.length).toBe(before);
          if (!wasOver)
            one.events.push({
              kind: 'error',
              id: 0,
              error: { code: 'internal', message: 'cancelled', param: null, retryAfterSeconds: null },
            });
        }
        await steps(300);
        for (const { events } of sent) expect(events.filter(({ kind }) => kind === 'done' || kind === 'error')).toHaveLength(1);
        expect(host.openCount).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});
