// The Cost screen: figures as reported, idle never hidden, unknowns said.
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';

const { open } = consolePages();

describe('Cost', () => {
  it('shows cost, saving, quality, idle and the basis as reported', async () => {
    const { page, faults } = await open('/cost');
    const row = page.getByRole('table', { name: 'Costs by model' }).getByRole('row', { name: /^alpha/ });
    expect(await row.textContent()).toBe('alpha400120,000, 26,000168 s$0.000900$0.00200$0$0.00290$0.560');
    expect(await page.getByText('not measured yet').count()).toBe(2);
    const lines = page.getByRole('table', { name: 'Busy and idle cost' }).getByRole('row');
    expect((await lines.allTextContents()).slice(1)).toEqual([
      'Busy, charged to requests1%$0.00400',
      'Idle99%$0.310',
      'Devices together$0.314',
      'Upstream models$0',
    ]);
    expect(await page.getByRole('table', { name: 'Rented comparison' }).getByRole('row').nth(1).textContent()).toBe(
      'T43000 × the busy cost here$12.00',
    );
    await page.getByText('Tariff: $0.30 per kWh.').waitFor();
    expect(faults).toEqual([]);
  });

  it('groups by day, key or endpoint, and goes from a model to its requests', async () => {
    const { page } = await open('/cost');
    await page.getByRole('button', { name: 'Day', exact: true }).click();
    await page.getByRole('table', { name: 'Costs by day' }).waitFor();
    await page.getByRole('button', { name: 'Model' }).click();
    await page.getByRole('table', { name: 'Costs by model' }).getByRole('row').nth(1).click();
    await page.getByRole('heading', { name: 'History' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#/history?model=alpha');
  });

  it('says a measured quality with its uncertainty', async () => {
    const { page } = await open('/cost', (fake) => {
      const total = { ...fake.cost.total, perQualityAdjustedResponseUsd: 0.0000082 };
      fake.cost = { ...fake.cost, total, quality: { kind: 'measured', mean: 0.97, plusMinus: 0.01, graded: 412 } };
    });
    await page.getByText('0.97 ±0.01').waitFor();
    await page.getByText('$8.20', { exact: true }).waitFor();
  });
});
