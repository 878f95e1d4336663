// With a load running on the real engine, the page tells the truth: what it shows is what the load generator sent,
// what the clients were told, and what the ledger holds.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestPage, RequestRow } from '../../engine/contract.ts';
import { MODEL, serve, type Served } from '../served.ts';
import { startBrowser } from './browser.ts';
import { builtPage } from './built-page.ts';
import { visit } from './engine.ts';
import { servePage } from './serve-page.ts';

const REQUESTS = 14;
const REFUSED = 2;
const TOKENS = 48;

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

let browser: Browser;
let served: Served;
let page: Page;

beforeAll(async () => {
  [browser, served] = await Promise.all([startBrowser(), serve()]);
  ({ page } = await visit(browser, 'about:blank'));
  page.setDefaultTimeout(50_000);
  await servePage(page, await builtPage());
  await page.goto(`${served.url}/#/now`);
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

async function ask(body: Readonly<Record<string, unknown>>): Promise<Response> {
  return fetch(`${served.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, ...body }),
  });
}

async function complete(index: number): Promise<Usage> {
  const messages = [{ role: 'user', content: `Count up from ${index}.` }];
  const answer: { readonly usage: Usage } = await (await ask({ messages, max_tokens: TOKENS, ignore_eos: true })).json();
  return answer.usage;
}

async function recorded(): Promise<readonly RequestRow[]> {
  const read: RequestPage = await (await fetch(`${served.url}/api/history/requests?limit=500`)).json();
  return read.rows;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const number = (text: string | null): number => Number(/-?[\d.,]+/.exec(text ?? '')?.[0].replaceAll(',', ''));
const count = (value: number): string => value.toLocaleString('en');

/** The value under a label, among the page's figures. */
const figure = async (label: string): Promise<number> =>
  number(
    await page
      .locator('.stat', { has: page.getByText(label, { exact: true }) })
      .locator('.stat-value')
      .textContent(),
  );

describe('the page beside a load', () => {
  it('counts what runs and waits while it does, and the tokens, cost and errors afterwards', async () => {
    await page.getByRole('status', { name: 'State of the server' }).getByText('Ready.').waitFor();
    const load = Promise.all(Array.from({ length: REQUESTS }, (_, index) => complete(index)));
    await expect.poll(async () => (await figure('Running')) + (await figure('Waiting')), { timeout: 20_000 }).toBe(REQUESTS);
    const usages = await load;
    for (let at = 0; at < REFUSED; at++) expect((await ask({ messages: 'not a list' })).status).toBe(400);
    await expect.poll(async () => (await recorded()).length, { timeout: 20_000 }).toBe(REQUESTS + REFUSED);
    const rows = await recorded();
    const costUsd = sum(rows.map(({ energyUsd, hardwareUsd, upstreamUsd }) => energyUsd + hardwareUsd + upstreamUsd));
    const [read, written] = [sum(usages.map((usage) => usage.prompt_tokens)), sum(usages.map((usage) => usage.completion_tokens))];

    // Now: nobody is left, and the last day's requests cost what the ledger says.
    await page.getByText('Ready. Nobody is asking right now.').first().waitFor();
    await page.getByText(`${REQUESTS + REFUSED} requests; busy`).waitFor();
    const perRequest = page.locator('.stat', { has: page.getByText('Cost per request', { exact: true }) });
    expect(await perRequest.getByText('per million requests').count()).toBe(1);
    const onNow = (await figure('Cost per request')) / 1e6;
    expect(Math.abs(onNow * (REQUESTS + REFUSED) - costUsd) / costUsd).toBeLessThan(0.01);

    // Cost: counts and tokens exact, money to 1%.
    await page.goto(`${served.url}/#/cost?range=1h`);
    const row = page.getByRole('table', { name: 'Costs by model' }).getByRole('row').filter({ hasText: MODEL });
    await row.waitFor();
    const cells = await row.getByRole('cell').allTextContents();
    expect(written).toBe(REQUESTS * TOKENS);
    expect(cells[2]).toBe(`${count(read)}, ${count(written)}`);
    expect(Math.abs((await figure('Requests together')) - costUsd) / costUsd).toBeLessThan(0.01);

    // History: every request, and the refused ones by their outcome.
    await page.goto(`${served.url}/#/history?range=1h`);
    await page.getByText(`${REQUESTS + REFUSED} requests in this range`).waitFor();
    await page.getByLabel('Outcome').selectOption('error');
    await page.getByText(`${REFUSED} requests in this range`).waitFor();
  });
});
