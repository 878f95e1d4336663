// Pages of the console over the real gateway with a scripted fleet, opened and closed for the tests of one file.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startBrowser } from './browser.ts';
import { builtPage } from './built-page.ts';
import { startEngine, visit, type FakeEngine, type FakeEngineOptions, type Visit } from './engine.ts';

export interface OpenedPage extends Visit {
  readonly engine: FakeEngine;
}

export interface GatewayPages {
  /** Opens a screen such as `/chat`. */
  readonly open: (path: string, options?: FakeEngineOptions, context?: BrowserContextOptions) => Promise<OpenedPage>;
}

/** To be called once in a test file. */
export function gatewayPages(): GatewayPages {
  let browser: Browser;
  let pageDir: string;
  const opened: { readonly page: Page; readonly engine: FakeEngine }[] = [];
  beforeAll(async () => {
    pageDir = await builtPage();
    browser = await startBrowser();
  });
  afterAll(async () => browser?.close());
  afterEach(async () => {
    for (const { page, engine } of opened.splice(0)) {
      await page.context().close();
      await engine.gateway.close({ drainMs: 0 });
    }
  });
  const open: GatewayPages['open'] = async (path, options = {}, context = {}) => {
    const engine = await startEngine(pageDir, options);
    const { page, faults } = await visit(browser, `${engine.url}/#${path}`, context);
    opened.push({ page, engine });
    return { page, faults, engine };
  };
  return { open };
}
