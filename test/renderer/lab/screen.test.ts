// The lab's screen in a real browser, over the real gateway with scripted variants.
import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { seriousFaults } from '../axe.ts';
import { gatewayPages } from '../gateway-pages.ts';

const { open } = gatewayPages();

async function openLab(context: BrowserContextOptions = {}) {
  const { page, faults, engine } = await open('/lab?model=fake', { models: ['fake'] }, context);
  await page.getByRole('table', { name: 'Variants' }).waitFor();
  return { page, faults, engine };
}

const row = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) });

describe('the lab', () => {
  it('shows measured figures beside what one usually expects, and why a variant may not answer', async () => {
    const { page, faults } = await openLab();
    await row(page, 'int8').getByText('0.30×').waitFor();
    await row(page, 'int8').getByText('expected 0.25×').waitFor();
    await row(page, 'int8').getByText('3.00×').waitFor();
    await row(page, 'int8').getByText('+0.40%').waitFor();
    await row(page, 'int8').getByText('answers', { exact: true }).waitFor();
    await page.getByText('int4 loses 9.00% of perplexity on the bundled text, more than the bar of 6.00%.').waitFor();
    expect(await page.getByRole('button', { name: 'Promote int4' }).isDisabled()).toBe(true);
    expect(await seriousFaults(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('promotes another variant and rolls back', async () => {
    const { page } = await openLab();
    await page.getByRole('button', { name: 'Promote fp32' }).click();
    await row(page, 'fp32').getByText('answers', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Roll back to int8' }).click();
    await row(page, 'int8').getByText('answers', { exact: true }).waitFor();
    await expect.poll(() => page.getByRole('button', { name: /Roll back/ }).count()).toBe(0);
  });

  it('starts jobs, and keeps a text of the user', async () => {
    const { page, engine } = await openLab();
    await page.getByLabel('Precision').selectOption('int4');
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Quantise and measure' }).click();
    await page.getByRole('button', { name: 'Measure int4' }).click();
    await expect.poll(() => engine.lab.asked.length).toBe(2);
    expect(engine.lab.asked).toEqual([
      { model: 'fake', precision: 'int4', anew: true },
      { model: 'fake', variant: 'int4' },
    ]);
    await page.getByRole('button', { name: 'Measure on my text' }).click();
    await page.getByRole('textbox').fill('What our model is asked all day long.');
    await page.getByRole('button', { name: 'Keep this text' }).click();
    await page.getByRole('button', { name: 'Change my text' }).waitFor();
    expect(engine.lab.texts).toEqual(['What our model is asked all day long.']);
  });

  it('cuts nothing on a phone', async () => {
    const { page } = await openLab({ viewport: { width: 390, height: 800 } });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
  });
});
