import { describe, expect, it } from 'vitest';
import type { ModelState } from '../../engine/fleet/host.ts';
import { decideReadiness } from '../../engine/gateway/routes/health.ts';
import { TokenMeter } from '../../engine/gateway/token-meter.ts';
import { FakeHost } from '../fakes/host.ts';
import { ask, errorOf, post, serving } from './serving.ts';

describe('the list of models', () => {
  it('says context, slots, precision and state', async () => {
    const { url } = await serving({ models: ['a', 'b'] });
    const { object, data } = await (await fetch(`${url}/v1/models`)).json();
    expect([object, data.length]).toEqual(['list', 2]);
    expect(data[0]).toMatchObject({
      id: 'a',
      object: 'model',
      owned_by: 'millrace',
      state: 'ready',
      context_window: 2048,
      slots: 8,
      precision: 'int8',
    });
    expect(await (await fetch(`${url}/v1/models/b`)).json()).toEqual(data[1]);
    expect(await errorOf(await fetch(`${url}/v1/models/c`))).toMatchObject({ status: 404, code: 'model_not_found' });
  });

  it('does not guess at a model that is not loaded', async () => {
    const { url } = await serving({ state: { kind: 'installed' } });
    expect(await (await fetch(`${url}/v1/models/fake`)).json()).toMatchObject({
      state: 'installed',
      context_window: null,
      slots: null,
      trained_context: 8192,
    });
  });
});

describe('decideReadiness', () => {
  const failed: ModelState = { kind: 'failed', reason: 'x' };
  const loading: ModelState = { kind: 'loading', sinceMs: 0 };
  const of = (...states: ModelState[]) => states.flatMap((state) => new FakeHost({ state }).list());
  const ready = new FakeHost().list();

  it('needs one model that answers, or is loaded by the first request', () => {
    expect(decideReadiness([...of(failed, loading), ...ready], 'serving')).toBe('ready');
    expect(decideReadiness(of({ kind: 'installed' }, failed), 'serving')).toBe('ready');
    expect(decideReadiness(of({ kind: 'installed' }, loading), 'serving')).toBe('loading');
    expect(decideReadiness(of(failed), 'serving')).toBe('failed');
    expect(decideReadiness([], 'serving')).toBe('no_model');
    expect(decideReadiness(ready, 'draining')).toBe('draining');
  });
});

describe('the status for the page', () => {
  it('counts what is open, running and waiting', async () => {
    const { url, host } = await serving({ stepMs: null, slots: 1, answer: () => 'ab' });
    const answers = [post(`${url}/v1/chat/completions`, ask()), post(`${url}/v1/chat/completions`, ask())];
    while (host.openCount < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    host.step();
    const status = await (await fetch(`${url}/api/status`)).json();
    expect(status).toMatchObject({ version: '1.2.3', state: 'serving', address: url, openRequests: 2 });
    expect(status.models[0]).toMatchObject({
      id: 'fake',
      state: 'ready',
      running: { runningRequests: 1, waitingRequests: 1, maxSlots: 1 },
    });
    for (let step = 0; step < 3; step++) host.step();
    expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual([200, 200]);
  });
});

describe('TokenMeter', () => {
  it('averages whole seconds, forgets old ones, and keeps models apart', () => {
    const meter = new TokenMeter();
    for (let ms = 0; ms < 3000; ms += 100) meter.add('a', 5, ms);
    expect(meter.rate('a', 3000)).toBe(50);
    expect(meter.rate('b', 3000)).toBe(0);
    expect(meter.rate('a', 4500)).toBeLessThan(50);
    expect(meter.rate('a', 20_000)).toBe(0);
  });
});
