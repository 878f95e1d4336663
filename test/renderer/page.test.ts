// The page in a real browser, built as for users, over a gateway with a fake host.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { pino } from 'pino';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.ts';
import { createGateway, type Gateway } from '../../engine/gateway/gateway.ts';
import { FakeHost, fakeEmbedding, type FakeHostOptions } from '../fakes/host.ts';
import { startBrowser } from './browser.ts';

const WIDE = { width: 1280, height: 720 };
const NARROW = { width: 390, height: 800 };

let browser: Browser;
let pageDir: string;
const open: { page: Page; gateway: Gateway; faults: string[] }[] = [];

beforeAll(async () => {
  pageDir = await mkdtemp(join(tmpdir(), 'millrace-page-'));
  await build({ root: join(import.meta.dirname, '../../renderer'), logLevel: 'error', build: { outDir: pageDir, emptyOutDir: true } });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(pageDir, { recursive: true, force: true });
});
afterEach(async () => {
  for (const { page, gateway } of open.splice(0)) {
    await page.close();
    await gateway.close({ drainMs: 0 });
  }
});

async function visit(options: FakeHostOptions, colorScheme: 'light' | 'dark' = 'light') {
  const host = new FakeHost(options);
  const gateway = await createGateway({
    host,
    config: { host: '127.0.0.1', port: 0, version: '1.2.3', pageDir },
    log: pino({ level: 'silent' }),
  });
  const { url } = await gateway.listen();
  const page = await browser.newPage({ viewport: WIDE, colorScheme });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) faults.push(`foreign request: ${request.url()}`);
  });
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text());
  });
  open.push({ page, gateway, faults });
  await page.goto(url);
  return { page, host, gateway, faults };
}

async function send(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text);
  await page.keyboard.press('Enter');
}

describe('the page', () => {
  it('shows state, address and models, and asks nothing of others', async () => {
    const { page, faults } = await visit({ models: ['alpha', 'n'.repeat(80)] });
    await page.getByRole('article', { name: 'alpha' }).getByText('2,048 tokens').waitFor();
    await page.getByText('Ready. Nobody is asking right now.').waitFor();
    await page.getByText('0 of 8 slots busy, 0 waiting').first().waitFor();
    expect(await page.locator('.address code').textContent()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    expect(faults).toEqual([]);
  });

  it('shows what an encoder does, and does not chat with it', async () => {
    const { page, faults } = await visit({ models: ['alpha'], encoders: { vectors: fakeEmbedding } });
    const card = page.getByRole('article', { name: 'vectors' });
    await card.getByText('embeddings', { exact: true }).waitFor();
    await card.getByText('6.5 texts, 50% of 512 tokens').waitFor();
    await card.getByText('6 of 32 texts in the batch, 2 waiting').waitFor();
    expect(await page.getByLabel('Model', { exact: true }).locator('option').allTextContents()).toEqual(['alpha']);
    expect(faults).toEqual([]);
  });

  it('streams a chat as plain text, with its figures, and remembers it', async () => {
    const { page, host, faults } = await visit({ answer: () => 'one <b>two</b> <img src=x onerror=alert(1)>' });
    await send(page, 'hello');
    await page.getByText(/first token after .* 43 tokens$/).waitFor();
    expect(await page.locator('.answer').textContent()).toBe('one <b>two</b> <img src=x onerror=alert(1)>');
    expect(await page.locator('.answer b, .answer img').count()).toBe(0);
    await send(page, 'more');
    await page
      .locator('.turn')
      .nth(1)
      .getByText(/43 tokens$/)
      .waitFor();
    const prompt = host.requests[1]?.prompt;
    expect(prompt?.kind === 'chat' ? prompt.messages.map(({ role }) => role) : []).toEqual(['user', 'assistant', 'user']);
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByText('Ask something.').waitFor();
    expect(faults).toEqual([]);
  });

  it('stops by button and by Escape, which frees the slot', async () => {
    const { page, host } = await visit({ stepMs: 5, answer: () => 'x'.repeat(100_000) });
    await send(page, 'first');
    await page.getByText('1 of 8 slots busy').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('stopped by you').waitFor();
    await send(page, 'second');
    await page
      .locator('.turn')
      .nth(1)
      .getByText(/first token after/)
      .waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.turn').nth(1).getByText('stopped by you').waitFor();
    await page.getByText('0 of 8 slots busy').waitFor();
    expect(host.cancelled).toBe(2);
  });

  it('shows an error in the turn it belongs to, and goes on', async () => {
    const { page, host } = await visit({ answer: () => 'abc' });
    host.failure = { error: new EngineError('runner_died', 'The process ended.'), afterSteps: 2 };
    await send(page, 'hello');
    await page.getByRole('alert').getByText('The process ended.').waitFor();
    host.failure = { error: new EngineError('queue_full', 'Too many.', { retryAfterSeconds: 1 }), afterSteps: 0 };
    await send(page, 'again');
    await page.getByRole('alert').getByText('Too many.').waitFor();
    host.failure = null;
    await send(page, 'and again');
    await page
      .locator('.turn')
      .nth(2)
      .getByText(/3 tokens$/)
      .waitFor();
  });

  it('teaches what to do without a model, and says why one failed', async () => {
    const { page } = await visit({ models: [] });
    await page.getByText('millrace pull smollm2-135m-instruct').waitFor();
    expect(await page.getByLabel('Message').isDisabled()).toBe(true);
    const failed = await visit({ state: { kind: 'failed', reason: 'The weights are cut short.' } });
    await failed.page.getByRole('article').getByText('The weights are cut short.').waitFor();
  });

  it('says when the engine is gone, and comes back with it', async () => {
    const { page } = await visit({});
    await page.getByText('Ready.').waitFor();
    await page.route('**/api/status', (route) => route.abort());
    await page.getByText('The engine does not answer.').waitFor();
    await page.unroute('**/api/status');
    await page.getByText('Ready.').waitFor();
  });

  it('follows the system’s colours until the reader picks, and keeps the pick', async () => {
    const { page } = await visit({}, 'dark');
    const theme = () => page.evaluate(() => document.documentElement.dataset['theme']);
    expect(await theme()).toBe('dark');
    await page.getByRole('button', { name: 'Use light colours' }).click();
    await page.reload();
    expect(await theme()).toBe('light');
  });

  it.each([WIDE, NARROW])('cuts nothing off at $width × $height, and is used by keyboard alone', async (size) => {
    const { page } = await visit({ models: ['n'.repeat(80)] });
    await page.setViewportSize(size);
    await page.getByRole('article').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
    const reached: string[] = [];
    for (let at = 0; at < 8; at++) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''),
      );
    }
    expect(reached).toEqual(
      expect.arrayContaining(['Copy the base URL for OpenAI clients', 'API reference', 'Model', 'Conversation', 'Message']),
    );
  });

  it('is cached by the browser where its name says so', async () => {
    const { page } = await visit({});
    const script = await page.locator('script[src]').getAttribute('src');
    const asset = await page.request.get(new URL(script ?? '', page.url()).href);
    expect(asset.headers()['cache-control']).toContain('immutable');
    const index = await page.request.get(page.url());
    expect(index.headers()['cache-control']).toBe('no-cache');
    const again = await page.request.get(page.url(), { headers: { 'if-none-match': index.headers()['etag'] ?? '' } });
    expect(again.status()).toBe(304);
  });
});
