// Pages of the console over the stand-in of its API, opened and closed for the tests of one file.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startBrowser } from './browser.ts';
import { builtPage } from './built-page.ts';
import { visit, type Visit } from './engine.ts';
import { FakeConsole } from './fake-console.ts';

export interface OpenedConsole extends Visit {
  readonly fake: FakeConsole;
  readonly url: string;
}

export interface ConsolePages {
  /** Opens a screen such as `/now`; `set` prepares what the engine answers. */
  readonly open: (path: string, set?: (fake: FakeConsole) => void, options?: BrowserContextOptions) => Promise<OpenedConsole>;
}

/** To be called once in a test file. */
export function consolePages(): ConsolePages {
  let browser: Browser;
  let pageDir: string;
  const opened: { readonly page: Page; readonly fake: FakeConsole }[] = [];
  beforeAll(async () => {
    pageDir = await builtPage();
    browser = await startBrowser();
  });
  afterAll(async () => browser?.close());
  afterEach(async () => {
    for (const { page, fake } of opened.splice(0)) {
      await page.context().close();
      await fake.stop();
    }
  });
  const open: ConsolePages['open'] = async (path, set, options) => {
    const fake = new FakeConsole(pageDir);
    set?.(fake);
    const url = await fake.start();
    const { page, faults } = await visit(browser, `${url}/#${path}`, options);
    opened.push({ page, fake });
    return { page, faults, fake, url };
  };
  return { open };
}

/** Pixels by which the page is wider than its window. */
export const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** Buttons, links and boxes that something cuts off at the side, by their text; what can be scrolled to counts as whole. */
export const cutControls = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => {
    const clips = (element: Element): boolean => ['hidden', 'clip'].includes(getComputedStyle(element).overflowX);
    const isCut = (control: Element): boolean => {
      const { left, right, width } = control.getBoundingClientRect();
      if (width <= 1) return false;
      for (let box = control.parentElement; box !== null; box = box.parentElement) {
        const edge = box.getBoundingClientRect();
        const start = left < edge.left - 1;
        // What lies before the start of a box can never be scrolled to.
        const scrolls = getComputedStyle(box).overflowX === 'auto';
        if ((scrolls && start) || (clips(box) && (start || right > edge.right + 1))) return true;
      }
      return false;
    };
    const controls = [...document.querySelectorAll('main :is(button, a, input, select)')].filter(
      (control) => control.closest('.ellipsis') === null,
    );
    return controls.filter(isCut).map((control) => control.getAttribute('aria-label') ?? control.textContent ?? '');
  });
