// The page stays small: what the first view loads, and what ten thousand live updates leave in memory.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { CDPSession } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { builtPage } from './built-page.ts';
import { consolePages } from './console-pages.ts';
import { aRequest, aSnapshot } from './factories.ts';
import { heavyLoad } from './load.ts';

const { open } = consolePages();
const FIRST_VIEW_BYTES = 300_000;
const UPDATES = 10_000;
const MOST_GROWTH = 1.1;

describe('the first view', () => {
  it('loads less than 300 kB of compressed script', async () => {
    const { page } = await open('/now', (fake) => {
      fake.snapshot = heavyLoad();
    });
    await page.locator('.u-over').first().waitFor();
    const urls = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    const names = urls.filter((url) => url.endsWith('.js')).map((url) => new URL(url).pathname);
    const folder = await builtPage();
    const sizes = await Promise.all(names.map(async (name) => gzipSync(await readFile(join(folder, name))).length));
    expect(names.length).toBeGreaterThan(1);
    expect(names.length).toBeLessThan((await readdir(join(folder, 'assets'))).filter((name) => name.endsWith('.js')).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(FIRST_VIEW_BYTES);
  });
});

describe('a page left open', () => {
  it('does not grow with ten thousand live updates', async () => {
    const { page, fake } = await open('/now', (fake) => {
      fake.snapshot = aSnapshot({ requests: [aRequest(), aRequest({ id: 'req-2' })] });
      fake.series = (_, at) => 100 + 50 * Math.sin(at / 47_000);
    });
    await page.locator('.u-over').first().waitFor();
    const session = await page.context().newCDPSession(page);
    const feed = async (updates: number): Promise<void> => {
      for (let update = 1; update <= updates; update++) {
        fake.push({ tokensPerSecond: 300 + (update % 100), queue: { running: 2, waiting: 0, waitP50Ms: 1, waitP99Ms: update % 50 } });
        // The page draws each of them before the next few come.
        if (update % 25 === 0) await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
      }
    };
    await feed(1_000);
    const before = await heapBytes(session);
    await feed(UPDATES);
    const last = `${300 + (UPDATES % 100)} tok/s`;
    await page.getByText(last).first().waitFor();
    expect((await heapBytes(session)) / before).toBeLessThan(MOST_GROWTH);
  }, 240_000);
});

/** After the garbage is collected. */
async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
}
