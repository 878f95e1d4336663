// The Now screen: it shows what the engine says, each number can be opened, and plots fill what they missed.
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';
import { aRequest, aRow, aSnapshot } from './factories.ts';
import { heavyLoad } from './load.ts';

const { open } = consolePages();

describe('Now', () => {
  it('says what the machine does, who waits, what it costs and how good it is', async () => {
    const { page, faults } = await open('/now', (fake) => {
      fake.snapshot = heavyLoad();
    });
    await page.getByText('Serving 8 requests at 412 tok/s; 104 more requests wait.').first().waitFor();
    expect(await page.getByRole('meter', { name: 'VRAM' }).getAttribute('aria-valuetext')).toBe('◆ 15.6 of 16.0 GB');
    expect(await page.getByText('~65 W (estimate)').count()).toBe(1);
    const cost = page.getByRole('region', { name: 'Cost and quality, last 24 h' });
    expect(await cost.locator('.stat-value').first().textContent()).toBe('$420.00 per million requests');
    expect(await cost.getByText('0.97 ±0.01').count()).toBe(1);
    expect(await page.getByRole('img', { name: '8 of 8 slots busy, 2 of them prefilling' }).count()).toBe(1);
    const queued = page.getByRole('table', { name: 'Live requests' }).getByRole('row').nth(9);
    expect(await queued.textContent()).toContain('#1 waiting');
    expect(faults).toEqual([]);
  });

  it('says “not measured yet” rather than a number', async () => {
    const { page } = await open('/now');
    await page.getByText('not measured yet').waitFor();
    expect(await page.getByText('no request yet').count()).toBe(2);
  });

  it('follows the engine, and opens a request while it runs and after it has ended', async () => {
    const { page, fake } = await open('/now', (fake) => {
      fake.snapshot = aSnapshot({ requests: [aRequest({ completionTokens: 10 })] });
      fake.rows = [aRow()];
    });
    const table = page.getByRole('table', { name: 'Live requests' });
    await table.getByRole('row').nth(1).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('300 in, 10 out').waitFor();
    fake.push({ requests: [aRequest({ completionTokens: 11 })] });
    await dialog.getByText('300 in, 11 out').waitFor();
    fake.push({ requests: [] });
    await dialog.getByRole('link', { name: 'See where its time went' }).click();
    await page.getByRole('table', { name: 'Requests' }).getByText('1.5 s').waitFor();
    expect(new URL(page.url()).hash).toBe('#/history?search=req-1');
  });

  it('walks tables with the arrow keys, and goes from a model to its history', async () => {
    const { page } = await open('/now', (fake) => {
      fake.snapshot = heavyLoad();
    });
    const rows = page.getByRole('table', { name: 'Models' }).getByRole('row');
    await rows.nth(1).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'History' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#/history?model=beta');
  });

  it('fills the plots with what was recorded while the connection was lost', async () => {
    let recorded = 7;
    const { page, fake, url } = await open('/now', (fake) => {
      fake.series = () => recorded;
    });
    const plot = page.getByRole('img', { name: /^Tokens made/ });
    await expect.poll(() => plot.getAttribute('aria-label'), { timeout: 15_000 }).toContain('last 7.0, most 7.0');
    await fake.stop();
    await page.getByText('Connection lost').waitFor();
    recorded = 9;
    await fake.start(Number(new URL(url).port));
    await expect.poll(() => plot.getAttribute('aria-label'), { timeout: 15_000 }).toContain('last 9.0, most 9.0');
  });
});
