// The disk fills up under a serving engine, real model and all. The system itself refuses to let its files grow, as a full disk does,
// by the process's limit of file sizes: nobody needs to be root for that, and the engine knows nothing of it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestPage } from '../../engine/contract.ts';
import { MODEL, serve, unlimitFiles, type Served } from '../served.ts';
import { banners } from './banners.ts';

/** A new history takes more than this within seconds: a sample is written each second. */
const LIMIT_BYTES = 400_000;
const PATIENCE = { timeout: 50_000, interval: 200 };

let served: Served;
beforeAll(async () => {
  served = await serve({ fileLimitBytes: LIMIT_BYTES });
});
afterAll(async () => {
  await served?.stop();
});

async function ask(id: string): Promise<number> {
  const response = await fetch(`${served.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': id },
    body: JSON.stringify({ model: MODEL, max_tokens: 4, messages: [{ role: 'user', content: `Hello, ${id}.` }] }),
  });
  await response.text();
  return response.status;
}

async function recorded(): Promise<readonly string[]> {
  const response = await fetch(`${served.url}/api/history/requests?limit=500`);
  return response.ok ? ((await response.json()) as RequestPage).rows.map(({ requestId }) => requestId).sort() : [];
}

describe('a full disk', () => {
  it('stops no answer, is said in a banner, and loses no record once there is room again', async () => {
    expect(await ask('before')).toBe(200);
    await expect.poll(async () => (await banners(served.url)).map(({ id }) => id), PATIENCE).toEqual(['history-disk_full']);
    const [banner] = await banners(served.url);
    expect(banner?.tone).toBe('warning');
    expect(banner?.text).toContain('Models go on answering');
    for (const id of ['during-1', 'during-2', 'during-3']) expect(await ask(id)).toBe(200);
    expect((await fetch(`${served.url}/ready`)).status).toBe(200);

    await unlimitFiles(served.pid);
    await expect.poll(() => banners(served.url), PATIENCE).toEqual([]);
    await expect.poll(recorded, PATIENCE).toEqual(['before', 'during-1', 'during-2', 'during-3']);
  });
});
