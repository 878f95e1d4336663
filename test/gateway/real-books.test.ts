// The whole engine with a real model under load: what the console tells afterwards is what the clients saw.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CostReport, NowSnapshot, RequestPage, RequestRow } from '../../engine/contract.ts';
import { MODEL, serve, type Served } from '../served.ts';
import { chatBody, openStream } from '../faults/stream.ts';
import { post } from './serving.ts';

let served: Served;

beforeAll(async () => {
  served = await serve({ args: ['--slots', '4', '--ctx', '1024'] });
}, 600_000);
afterAll(() => served.stop());

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

async function answer(prompt: string, maxTokens: number): Promise<Usage> {
  const response = await post(`${served.url}/v1/chat/completions`, JSON.parse(chatBody({ prompt, maxTokens }, false)));
  return ((await response.json()) as { usage: Usage }).usage;
}

const get = async <T>(path: string): Promise<T> => (await (await fetch(served.url + path)).json()) as T;
const rows = async (): Promise<readonly RequestRow[]> => (await get<RequestPage>('/api/history/requests?limit=500')).rows;
const sum = <T>(list: readonly T[], value: (item: T) => number): number => list.reduce((total, item) => total + value(item), 0);

async function moment(): Promise<NowSnapshot> {
  const controller = new AbortController();
  const response = await fetch(`${served.url}/api/live`, { signal: controller.signal });
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (/data: .*\n\n/.test(text)) break;
  }
  controller.abort();
  return JSON.parse(/data: (.*)\n\n/.exec(text)?.[1] ?? '') as NowSnapshot;
}

describe('the books of a running engine', () => {
  it('hold each request, its tokens and its cost, those of a client that left too', async () => {
    const left = openStream(served.url, { prompt: 'Tell me a story without an end.', maxTokens: 900 });
    await left.firstText;
    const answers = Array.from({ length: 7 }, (_, at) => answer(`Count to ${at + 3}.`, 6 + at));
    await expect.poll(async () => (await moment()).queue.running, { timeout: 10_000, interval: 50 }).toBeGreaterThan(1);
    const usages = await Promise.all(answers);
    left.vanish();
    await left.ended;
    await expect.poll(async () => (await rows()).length, { timeout: 15_000, interval: 100 }).toBe(8);

    const recorded = await rows();
    const whole = recorded.filter(({ outcome }) => outcome === 'ok');
    expect(whole.map((row) => `${row.promptTokens}+${row.completionTokens}`).sort()).toEqual(
      usages.map((usage) => `${usage.prompt_tokens}+${usage.completion_tokens}`).sort(),
    );
    expect(recorded.filter(({ outcome }) => outcome === 'cancelled')).toMatchObject([{ streamed: true, model: MODEL, status: 200 }]);
    for (const row of recorded) {
      expect(row.deviceMs).toBeGreaterThan(0);
      expect(row.energyUsd + row.hardwareUsd).toBeGreaterThan(0);
      expect(row.ttftMs ?? 0).toBeLessThanOrEqual(row.totalMs);
    }
    const { total, rows: models } = await get<CostReport>('/api/cost');
    const costUsd = sum(recorded, ({ energyUsd, hardwareUsd }) => energyUsd + hardwareUsd);
    expect(total).toMatchObject({ requests: 8, completionTokens: sum(recorded, ({ completionTokens }) => completionTokens) });
    expect(total.costUsd / costUsd).toBeCloseTo(1, 4);
    expect(models.map(({ group }) => group)).toEqual([MODEL]);

    // What the devices cost is shared between the requests and the idle time, once the last second is settled.
    const spent = async (): Promise<number> => (await moment()).cost.busyUsd / costUsd;
    await expect.poll(spent, { timeout: 15_000, interval: 200 }).toBeGreaterThan(0.99);
    expect(await spent()).toBeLessThan(1.01);
    expect((await moment()).cost).toMatchObject({ requests: 8 });
    const metrics = await (await fetch(`${served.url}/metrics`)).text();
    expect(metrics).toContain(`millrace_requests_total{model="${MODEL}",endpoint="/v1/chat/completions",outcome="cancelled"} 1`);
    expect(metrics).toContain(`millrace_generation_tokens_total{model="${MODEL}"} ${total.completionTokens}`);
  });

  it('are closed in good order right after the start', async () => {
    for (let round = 0; round < 2; round++) {
      const short = await serve();
      expect(await short.stop()).toMatchObject({ code: 0, signal: null });
    }
  });

  it('follow a pin and a new price at once', async () => {
    const change = { cost: { tariffUsdPerKwh: 0.42 } };
    const init = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(change) };
    expect((await fetch(`${served.url}/api/settings`, init)).status).toBe(200);
    const pin = await fetch(`${served.url}/api/models/${MODEL}/pin`, { method: 'POST', headers: { 'content-type': 'application/json' } });
    expect([pin.status, await pin.json()]).toMatchObject([200, { id: MODEL, pinned: true }]);
    expect(await get('/api/settings')).toMatchObject({ cost: change.cost, pinnedModels: [MODEL] });
  });
});
