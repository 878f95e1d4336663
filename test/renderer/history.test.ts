// The History screen: from a range and its plots to the slow requests, and to one request's own timeline.
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';
import { aRow, aDecision } from './factories.ts';
import type { FakeConsole } from './fake-console.ts';

const { open } = consolePages();

function recorded(fake: FakeConsole): void {
  fake.series = () => 120;
  fake.rows = Array.from({ length: 70 }, (_, at) =>
    aRow({ rowId: at + 1, requestId: `req-${at}`, ...(at === 3 ? { outcome: 'error', errorCode: 'queue_full', status: 429 } : {}) }),
  );
}

describe('History', () => {
  it('lists the requests of a range, filters them, and shows more', async () => {
    const { page, faults } = await open('/history', recorded);
    const rows = page.getByRole('table', { name: 'Requests' }).getByRole('row');
    await page.getByText('70 requests in this range').waitFor();
    expect(await rows.count()).toBe(51);
    await page.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => rows.count()).toBe(71);
    await page.getByLabel('Outcome').selectOption('error');
    await page.getByText('1 request in this range').waitFor();
    await rows.nth(1).getByText('429 queue_full').waitFor();
    await page.getByLabel('Search (/)').fill('nothing like it');
    await page.getByText('No request matches.').waitFor();
    expect(new URL(page.url()).hash).toBe('#/history?outcome=error&search=nothing+like+it');
    expect(faults).toEqual([]);
  });

  it('shows where the time and money of a request went', async () => {
    const { page } = await open('/history', recorded);
    await page.getByRole('table', { name: 'Requests' }).getByRole('row').nth(1).click();
    const phases = page.getByRole('table', { name: 'Timeline of the request' }).getByRole('row');
    await phases.first().waitFor();
    const shown = await phases.allTextContents();
    expect(shown.slice(1)).toEqual([
      'Wait in the queue0 ms40 ms3%',
      'Prefill40 ms60 ms4%',
      'First token100 ms20 ms1%',
      'Decode and stream120 ms1.3 s92%',
    ]);
    await page.getByText('$0.00000730: energy $0.00000230, hardware $0.00000500, upstream $0').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('shows how long a model was loaded for a request, and why it was routed where it was', async () => {
    const { page, faults } = await open('/history', (fake) => {
      fake.rows = [aRow({ modelAsked: 'auto', routeReason: 'alpha is the cheapest that holds the quality bar', loadMs: 30 })];
      fake.decisions = [aDecision()];
    });
    await page.getByRole('table', { name: 'Requests' }).getByRole('row').nth(1).click();
    const phases = page.getByRole('table', { name: 'Timeline of the request' }).getByRole('row');
    await phases.nth(2).getByText('Wait in the queue').waitFor();
    expect((await phases.allTextContents()).slice(1, 3)).toEqual(['Load the model0 ms30 ms2%', 'Wait in the queue30 ms10 ms1%']);
    const decision = page.getByRole('region', { name: 'Route decision' });
    await decision.getByText('a loss of up to 3% was allowed. Asked: beta (queue full), alpha (answered).').waitFor();
    const rows = await decision.getByRole('row').allTextContents();
    expect(rows.slice(1)).toEqual(['alpha (fast)$0.00000700120 ms0 ms2%taken', 'gpt-4o (premium)–900 ms0 ms0%dearer']);
    expect(faults).toEqual([]);
  });

  it('goes from a stretch of a plot to the slow requests of that time, and back', async () => {
    const { page } = await open('/history', recorded);
    const plot = page.getByRole('img', { name: /^Total time/ }).locator('.u-over');
    const box = await plot.boundingBox();
    if (box === null) throw new Error('The plot is not drawn.');
    await page.mouse.move(box.x + box.width / 2, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 60, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => new URL(page.url()).hash).toMatch(/from=\d+&to=\d+&order=slowest/);
    expect(await page.getByLabel('Order').inputValue()).toBe('slowest');
    await page.goBack();
    await expect.poll(() => new URL(page.url()).hash).toBe('#/history');
  });

  it('takes a range typed by hand, and offers it as a file', async () => {
    const { page } = await open('/history', recorded);
    await page.getByRole('button', { name: 'From … to' }).click();
    await page.getByLabel('From').fill('2026-01-02T03:04');
    await page.getByLabel('To', { exact: true }).fill('2026-01-02T03:00');
    await page.getByText('The end must be after the beginning.').waitFor();
    await page.getByLabel('To', { exact: true }).fill('2026-01-02T04:04');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    const from = await page.evaluate(() => new Date('2026-01-02T03:04').getTime());
    await expect.poll(() => new URL(page.url()).hash).toContain(`from=${from}&to=${from + 3_600_000}`);
    const href = await page.getByRole('link', { name: 'CSV' }).first().getAttribute('href');
    expect(href).toBe(`/api/history/export?from=${from}&to=${from + 3_600_000}&table=requests&format=csv`);
  });

  it('shows a device over time', async () => {
    const { page } = await open('/history?device=cpu', (fake) => {
      fake.series = () => 0.5;
    });
    await page.getByRole('img', { name: 'Use: cpu last 50%, most 50%' }).waitFor();
  });
});
