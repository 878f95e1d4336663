// Models, Chat, Router, Batches and Keys over the real engine with the real model: what the page shows is what the engine did.
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestPage } from '../../engine/contract.ts';
import { MODEL, serve, type Served } from '../served.ts';
import { seriousFaults } from './axe.ts';
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

  it('routes a question, shows why, and takes a thumb for it', async () => {
    await page.goto(`${served.url}/#/chat?model=auto`);
    await page.getByRole('button', { name: 'Parameters' }).click();
    await page.getByLabel('Max tokens').fill('8');
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByLabel('Message', { exact: true }).fill('Say hello.');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Good answer' }).click();
    await page.getByRole('button', { name: 'Good answer', pressed: true }).waitFor();
    await page.goto(`${served.url}/#/router`);
    const decisions = page.getByRole('region', { name: 'Last decisions' });
    await decisions.getByRole('row').filter({ hasText: 'auto' }).click();
    await page.getByRole('dialog').getByRole('table', { name: 'Alternatives' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByText('1 request replayed.').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
  });

  it('runs a batch from a file, and names the line of one that is wrong', async () => {
    const row = (id: string): string =>
      JSON.stringify({
        custom_id: id,
        method: 'POST',
        url: '/v1/chat/completions',
        body: { model: MODEL, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 4 },
      });
    await page.goto(`${served.url}/#/batches`);
    const upload = async (name: string, text: string): Promise<void> => {
      await page.getByRole('button', { name: 'New batch' }).click();
      await page.getByLabel('File of rows').setInputFiles({ name, mimeType: 'application/jsonl', buffer: Buffer.from(text) });
      await page.getByRole('button', { name: 'Run the rows' }).click();
    };
    await upload('good.jsonl', `${row('a')}\n${row('b')}\n`);
    const good = page.getByRole('region', { name: 'Batch good.jsonl' });
    await good.getByText('completed').waitFor();
    await good.getByText(/^2 of 2 rows/).waitFor();
    const results = await (await fetch(served.url + (await good.getByRole('link', { name: 'Results' }).getAttribute('href')))).text();
    expect(results.match(/"custom_id"/g)).toHaveLength(2);
    await upload('bad.jsonl', `${row('a')}\nno json\n`);
    await page
      .getByRole('region', { name: 'Batch bad.jsonl' })
      .getByText(/^Line 2: /)
      .waitFor();
    expect(await seriousFaults(page)).toEqual([]);
  });

  it('makes a key that works, shows it once, and revokes it', async () => {
    await page.goto(`${served.url}/#/keys`);
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Tenant').fill('team-a');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const secret = (await page.getByRole('dialog').locator('code').textContent()) ?? '';
    const ask = async (): Promise<number> =>
      (await fetch(`${served.url}/v1/models`, { headers: { authorization: `Bearer ${secret}` } })).status;
    expect(await ask()).toBe(200);
    await page.keyboard.press('Escape');
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Revoke the key of team-a' }).click();
    await page.getByRole('row').filter({ hasText: 'team-a' }).getByText('revoked', { exact: true }).first().waitFor();
    await expect.poll(ask).toBe(401);
  });

  it('asks for a key when the request comes from elsewhere, and lets an administrator in', async () => {
    const wish = { tenant: 'boss', scopes: { endpoints: null, models: null, admin: true } };
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) };
    const { secret } = await (await fetch(`${served.url}/api/keys`, init)).json();
    // As a proxy on this machine passes on what comes from another one.
    const far = await visit(browser, 'about:blank', { extraHTTPHeaders: { 'x-forwarded-for': '192.0.2.7' } });
    await servePage(far.page, await builtPage());
    await far.page.goto(`${served.url}/#/keys`);
    const box = far.page.getByLabel('API key or pairing code');
    await box.fill('mr_wrong');
    await far.page.keyboard.press('Enter');
    await far.page.getByText('Not signed in.').waitFor();
    expect(await seriousFaults(far.page)).toEqual([]);
    await box.fill(secret);
    await far.page.keyboard.press('Enter');
    await far.page.getByRole('row').filter({ hasText: 'boss' }).first().waitFor();
    await far.page.context().close();
  });
});
