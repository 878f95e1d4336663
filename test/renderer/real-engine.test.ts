// Models and Chat over the real engine with the real model: what the page shows is what the engine did.
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestPage } from '../../engine/contract.ts';
import { MODEL, serve, type Served } from '../served.ts';
import { startBrowser } from './browser.ts';
import { builtPage } from './built-page.ts';
import { visit } from './engine.ts';
import { servePage } from './serve-page.ts';

const TINY_MODEL = join(import.meta.dirname, '../fixtures/families/llama.gguf');

let browser: Browser;
let served: Served;
let page: Page;
let faults: readonly string[];

beforeAll(async () => {
  [browser, served] = await Promise.all([startBrowser(), serve()]);
  ({ page, faults } = await visit(browser, 'about:blank'));
  page.setDefaultTimeout(50_000);
  await servePage(page, await builtPage());
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

describe('the page over the real engine', () => {
  it('gets a model from a file, loads, deletes and restores it', async () => {
    await page.goto(`${served.url}/#/models`);
    await page.getByRole('row').filter({ hasText: MODEL }).waitFor();
    await page.getByRole('button', { name: 'Get a model' }).click();
    await page.getByLabel('Name').fill(TINY_MODEL);
    await page.keyboard.press('Enter');
    await page.getByRole('group', { name: TINY_MODEL }).getByText('done').waitFor();
    const row = page.getByRole('row').filter({ hasText: 'llama' });
    await row.getByRole('button', { name: /^Load/ }).click();
    await row.getByText('loaded', { exact: true }).waitFor();
    await row.getByRole('button', { name: /^Delete/ }).click();
    await expect.poll(() => row.count()).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.waitFor();
    expect(faults.filter((fault) => !fault.startsWith('foreign'))).toEqual([]);
  });

  it('chats, and shows tokens and cost as the ledger has them', async () => {
    await page.goto(`${served.url}/#/chat?model=${MODEL}`);
    // A small model that draws may never come to an end.
    await page.getByRole('button', { name: 'Parameters' }).click();
    await page.getByLabel('Temperature').fill('0');
    await page.getByLabel('Max tokens').fill('32');
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByLabel('Message', { exact: true }).fill('What is the capital of France?');
    await page.keyboard.press('Enter');
    const figures = page.getByText(new RegExp(`^${MODEL} · first token after .* cost \\$[\\d.]+`));
    await figures.waitFor();
    const { rows }: RequestPage = await (await fetch(`${served.url}/api/history/requests?from=0&to=${Date.now() + 60_000}`)).json();
    expect(rows).toHaveLength(1);
    const { completionTokens = 0, energyUsd = 0, hardwareUsd = 0, upstreamUsd = 0 } = rows[0] ?? {};
    const shown = await figures.textContent();
    expect(shown).toContain(`· ${completionTokens} token`);
    const shownUsd = Number(/cost \$([\d.]+)/.exec(shown ?? '')?.[1]);
    const usd = energyUsd + hardwareUsd + upstreamUsd;
    expect(Math.abs(shownUsd / usd - 1)).toBeLessThan(0.01);
    expect(await page.locator('.markdown').textContent()).toMatch(/Paris/);
  });
});
