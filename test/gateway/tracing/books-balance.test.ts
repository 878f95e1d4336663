// Whatever happens to requests, the ledger's counts and tokens are what the clients saw, and what they were charged is what the devices cost.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import type { RequestRecord } from '../../../engine/ledger/ledger.ts';
import { CostMeter } from '../../../engine/ledger/cost/meter.ts';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import { ask, eventsOf, post, serving, until } from '../serving.ts';
import { fakeEmbedding } from '../../fakes/host.ts';

type Behaviour = 'whole' | 'stream' | 'leaves' | 'embeds' | 'unknown model' | 'malformed';

interface Planned {
  readonly behaviour: Behaviour;
  readonly model: 'fake' | 'other';
  readonly length: number;
  readonly choices: number;
}

const planned = fc.record({
  behaviour: fc.constantFrom<Behaviour>('whole', 'stream', 'leaves', 'embeds', 'unknown model', 'malformed'),
  model: fc.constantFrom('fake' as const, 'other' as const),
  length: fc.integer({ min: 1, max: 12 }),
  choices: fc.integer({ min: 1, max: 3 }),
});

interface Seen {
  readonly status: number | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens?: number;
}

const seenOf = (status: number, usage: WireUsage | undefined): Seen => ({
  status,
  promptTokens: usage?.prompt_tokens ?? 0,
  completionTokens: usage?.completion_tokens ?? 0,
});

/** Sends one request as planned, under its own id. Null: it left before its end. */
async function send(url: string, id: string, plan: Planned): Promise<Seen | null> {
  const headers = { 'content-type': 'application/json', 'x-request-id': id };
  if (plan.behaviour === 'embeds') {
    const response = await post(`${url}/v1/embeddings`, { model: 'encoder', input: 'x'.repeat(plan.length) }, { headers });
    return seenOf(response.status, ((await response.json()) as { usage?: WireUsage }).usage);
  }
  const stream = plan.behaviour === 'stream' || plan.behaviour === 'leaves';
  const model = plan.behaviour === 'unknown model' ? 'nobody' : plan.model;
  const extra = { model, n: plan.choices, max_tokens: plan.length, ...(stream ? { stream, stream_options: { include_usage: true } } : {}) };
  const body = plan.behaviour === 'malformed' ? { model } : ask(extra);
  const controller = new AbortController();
  const response = await post(`${url}/v1/chat/completions`, body, { headers, signal: controller.signal });
  if (plan.behaviour === 'leaves') {
    controller.abort();
    return null;
  }
  if (!stream) return seenOf(response.status, ((await response.json()) as { usage?: WireUsage }).usage);
  const last = (await eventsOf(response)).at(-2);
  return seenOf(response.status, (JSON.parse(last ?? '{}') as { usage?: WireUsage }).usage);
}

function bookkeeping() {
  const records: RequestRecord[] = [];
  const meter = new CostMeter(() => DEFAULT_SETTINGS.cost);
  const readings = [{ device: 'cpu', watts: 90 }];
  meter.settle(0, readings);
  meter.settle(1_000, readings);
  const accounting = {
    charge: (device: string, deviceMs: number) => meter.charge(device, deviceMs),
    premiumUsd: () => null,
  };
  /** Closes intervals until everything that was charged has fallen into one. */
  const busyUsd = (): number => {
    let sum = 0;
    for (let atMs = 2_000; meter.carriedUsd > 0 && atMs < 1e7; atMs += 1_000) sum += meter.settle(atMs, readings).busyUsd;
    return sum;
  };
  return { records, accounting, busyUsd };
}

describe('the books', () => {
  it('balance under any load', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(planned, { minLength: 1, maxLength: 25 }), async (plans) => {
        const { records, accounting, busyUsd } = bookkeeping();
        const { url, host } = await serving(
          { models: ['fake', 'other'], encoders: { encoder: fakeEmbedding }, slots: 4, stepDeviceMs: 3, answer: () => 'abcdefghijklmnop' },
          {},
          (fake) => fake,
          { accounting, onRecord: (record) => records.push(record) },
        );
        const seen = await Promise.all(plans.map((plan, at) => send(url, `r${at}`, plan).catch(() => null)));
        await until(() => records.length >= plans.length);
        expect(records.map(({ requestId }) => requestId).sort()).toEqual(plans.map((_, at) => `r${at}`).sort());
        for (const [at, client] of seen.entries()) {
          const record = records.find(({ requestId }) => requestId === `r${at}`);
          if (client === null) expect(['cancelled', 'ok']).toContain(record?.outcome);
          else expect(record).toMatchObject({ ...client, outcome: client.status === 200 ? 'ok' : 'error' });
        }
        expect(sum(records, ({ deviceMs }) => deviceMs)).toBeCloseTo(host.busyMs, 6);
        const charged = sum(records, ({ energyUsd, hardwareUsd }) => energyUsd + hardwareUsd);
        expect(busyUsd()).toBeCloseTo(charged, 12);
      }),
      { numRuns: 15 },
    );
  });

  it('hold errors with their code and what was used until then', async () => {
    const { records, accounting } = bookkeeping();
    const failure = { error: new EngineError('runner_died', 'gone'), afterSteps: 2 };
    const { url } = await serving({ failure, stepDeviceMs: 3 }, {}, (fake) => fake, {
      accounting,
      onRecord: (record) => records.push(record),
    });
    await (await post(`${url}/v1/chat/completions`, ask({ stream: true }))).text();
    await (await post(`${url}/v1/chat/completions`, ask())).text();
    await until(() => records.length === 2);
    expect(records).toMatchObject([
      { status: 200, outcome: 'error', errorCode: 'runner_died', streamed: true, completionTokens: 2, deviceMs: 9 },
      { status: 502, outcome: 'error', errorCode: 'runner_died', streamed: false, completionTokens: 2, deviceMs: 9 },
    ]);
  });

  it('hold what was refused before it ran, and nothing of the console', async () => {
    const { records, accounting } = bookkeeping();
    const { url, host } = await serving({ stepMs: null, slots: 1, maxWaiting: 1 }, {}, (fake) => fake, {
      accounting,
      onRecord: (record) => records.push(record),
    });
    const chat = `${url}/v1/chat/completions`;
    const open = [post(chat, ask())];
    await until(() => host.openCount === 1);
    await (await post(chat, ask())).text();
    await (await fetch(chat, { method: 'POST', body: 'x' })).text();
    await (await fetch(chat, { method: 'POST', body: '{"model":', headers: { 'content-type': 'application/json' } })).text();
    await (await post(`${url}/rerank`, { model: 'fake', query: 'q', documents: ['d'] })).text();
    for (const path of ['/api/status', '/v1/models', '/health', '/nowhere', '/v1/chat/completions']) await (await fetch(url + path)).text();
    await until(() => records.length === 4);
    expect(records.map(({ status, errorCode, endpoint, model, modelAsked }) => [status, errorCode, endpoint, model, modelAsked])).toEqual([
      [429, 'queue_full', '/v1/chat/completions', 'fake', 'fake'],
      [415, 'unsupported_media_type', '/v1/chat/completions', null, ''],
      [400, 'invalid_request', '/v1/chat/completions', null, ''],
      [400, 'invalid_request', '/v1/rerank', null, 'fake'],
    ]);
    while (host.openCount > 0) host.step();
    await Promise.all(open);
    await until(() => records.length === 5);
  });
});

function sum<T>(list: readonly T[], value: (item: T) => number): number {
  return list.reduce((total, item) => total + value(item), 0);
}
