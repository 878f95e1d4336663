// The frame around the screens: keys, palette, colours, a lost connection, warnings; and how the real gateway serves the page.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';
import { anAlert, aModel, aSnapshot } from './factories.ts';
import { startEngine } from './engine.ts';
import { builtPage } from './built-page.ts';

const { open } = consolePages();
const at = (page: Page): string => new URL(page.url()).hash;
const sentence = (page: Page) => page.getByRole('status', { name: 'State of the server' });

describe('keys', () => {
  it('go to a screen after g, search with /, and leave the search with Escape', async () => {
    const { page, faults } = await open('/now');
    await sentence(page).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('h');
    await page.getByRole('heading', { name: 'History' }).waitFor();
    expect(at(page)).toBe('#/history');
    await page.keyboard.press('/');
    await page.keyboard.type('gh queue');
    const search = page.getByLabel('Search (/)');
    expect(await search.inputValue()).toBe('gh queue');
    await page.keyboard.press('Escape');
    expect(await search.evaluate((box) => box === document.activeElement)).toBe(false);
    expect(faults).toEqual([]);
  });

  it('reach everything from the top of the page, and skip to the content', async () => {
    const { page } = await open('/settings');
    await page.getByLabel('Electricity tariff').waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('System');
    expect(at(page)).toBe('#/settings');
  });
});

describe('the palette', () => {
  it('opens with ⌘K, finds a model, and acts on it', async () => {
    const { page, fake, faults } = await open('/now', (fake) => {
      fake.snapshot = aSnapshot({ models: [aModel(), aModel({ id: 'gamma', state: 'installed', running: null })] });
    });
    await sentence(page).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command palette' }).fill('load gamma');
    await page.getByRole('option', { name: 'Load gamma' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Load gamma: done.').waitFor();
    expect(fake.changes).toEqual([{ method: 'POST', path: '/api/models/gamma/load', body: {} }]);
    expect(faults).toEqual([]);
  });

  it('closes with Escape, and gives the focus back', async () => {
    const { page } = await open('/now');
    const button = page.getByRole('button', { name: 'Open the command palette' });
    await button.click();
    await page.getByRole('combobox', { name: 'Command palette' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('combobox', { name: 'Command palette' }).waitFor({ state: 'detached' });
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
  });
});

describe('the header', () => {
  it('says where the server is, what it does, and how many alerts are awake', async () => {
    const { page } = await open('/cost', (fake) => {
      fake.snapshot = aSnapshot({ alerts: [anAlert(), anAlert({ id: 'two', snoozedUntilMs: 1 })] });
    });
    const header = page.getByRole('banner');
    await header.getByText('1 alert', { exact: true }).waitFor();
    expect(await header.getByText('workbench').count()).toBe(1);
    expect(await header.locator('code').textContent()).toBe('http://127.0.0.1:11711/v1');
    expect(await page.getByRole('link', { name: /Alerts.*active: 1/ }).count()).toBe(1);
  });

  it('follows the system’s colours until the reader picks, and keeps the pick', async () => {
    const { page } = await open('/now', undefined, { colorScheme: 'dark' });
    const theme = () => page.evaluate(() => document.documentElement.dataset['theme']);
    await sentence(page).waitFor();
    expect(await theme()).toBe('dark');
    await page.getByRole('button', { name: 'Use light colours' }).click();
    expect(await theme()).toBe('light');
    await page.reload();
    await sentence(page).waitFor();
    expect(await theme()).toBe('light');
  });
});

describe('a lost connection', () => {
  it('is said on every screen, keeps what was known, and ends by itself', async () => {
    const { page, fake, url } = await open('/now');
    await sentence(page).getByText('Ready.').waitFor();
    await fake.stop();
    await page.getByText('Connection lost').waitFor();
    await sentence(page).getByText('The engine does not answer.').waitFor();
    expect(await page.getByRole('row', { name: /alpha/ }).count()).toBe(1);
    await fake.start(Number(new URL(url).port));
    await sentence(page).getByText('Ready.').waitFor();
    await page.getByText('Connection lost').waitFor({ state: 'detached' });
  });
});

describe('warnings of the server', () => {
  it('are on every screen, with a detail to copy', async () => {
    const { page } = await open('/api', (fake) => {
      fake.snapshot = aSnapshot({ banners: [{ id: 'x', tone: 'problem', text: 'The disk is full.', detail: 'SQLITE_FULL' }] });
    });
    await page.getByText('The disk is full.').waitFor();
    await page.getByRole('button', { name: /Detail of the warning/ }).waitFor();
  });
});

describe('a screen whose data cannot be read', () => {
  it('says so, and reads it when asked again', async () => {
    const { page, fake } = await open('/cost', (fake) => fake.failing.add('/api/cost'));
    await page.getByText('The costs could not be read.').waitFor();
    fake.failing.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('table', { name: 'Costs by model' }).waitFor();
  });
});

describe('the gateway', () => {
  it('serves scripts to be kept for ever, and the page to be asked for each time', async () => {
    const { gateway, url } = await startEngine(await builtPage());
    const index = await fetch(url);
    const html = await index.text();
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1];
    const asset = await fetch(new URL(script ?? '', url));
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect(index.headers.get('cache-control')).toBe('no-cache');
    const again = await fetch(url, { headers: { 'if-none-match': index.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
    await gateway.close({ drainMs: 0 });
  });
});
