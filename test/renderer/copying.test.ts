// Copying, also where the browser withholds its clipboard: a console opened over plain HTTP from another machine.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';

const { open } = consolePages();
const BASE_URL = 'http://127.0.0.1:11711/v1';

/** The page as it is outside of a secure context; `copies`: what the old way answers there. */
async function insecure(page: Page, copies: boolean): Promise<void> {
  await page.addInitScript((allowed) => {
    Object.defineProperty(navigator, 'clipboard', { value: undefined });
    if (!allowed) document.execCommand = () => false;
  }, copies);
  await page.reload();
}

/** What lies in the clipboard, pasted into a box of the page. */
async function pasted(page: Page): Promise<string> {
  await page.goto(page.url().replace(/#.*/, '#/models'));
  const box = page.getByRole('searchbox', { name: 'Search models' });
  await box.focus();
  await page.keyboard.press('Control+V');
  return box.inputValue();
}

describe('a copy button', () => {
  it('copies without the clipboard of secure pages, and keeps the focus', async () => {
    const { page, faults } = await open('/api');
    await insecure(page, true);
    const button = page.getByRole('banner').getByRole('button', { name: 'Copy: Base URL for OpenAI clients' });
    await button.click();
    const copied = page.getByRole('banner').getByRole('button', { name: 'Copied: Base URL for OpenAI clients' });
    await copied.waitFor();
    expect(await copied.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await pasted(page)).toBe(BASE_URL);
    expect(faults).toEqual([]);
  });

  it('gives the text selected, to be copied by hand, where nothing else is allowed', async () => {
    const { page, faults } = await open('/now');
    await insecure(page, false);
    await page.getByRole('banner').getByRole('button', { name: 'Copy: Base URL for OpenAI clients' }).click();
    const box = page.getByRole('textbox', { name: /this browser does not let a page copy/ });
    expect(await box.evaluate((input: HTMLInputElement) => input.value.slice(input.selectionStart ?? 0, input.selectionEnd ?? 0))).toBe(
      BASE_URL,
    );
    await page.keyboard.press('Control+C');
    await page.getByRole('banner').getByRole('button', { name: 'Copy: Base URL for OpenAI clients' }).waitFor();
    expect(await pasted(page)).toBe(BASE_URL);
    expect(faults).toEqual([]);
  });
});

describe('the palette', () => {
  it('copies the address, and says so', async () => {
    const { page } = await open('/now');
    await insecure(page, true);
    await page.getByRole('status', { name: 'State of the server' }).waitFor({ state: 'attached' });
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command palette' }).fill('copy the base');
    await page.keyboard.press('Enter');
    await page.getByText(`${BASE_URL} is copied.`).waitFor();
    expect(await pasted(page)).toBe(BASE_URL);
  });
});
