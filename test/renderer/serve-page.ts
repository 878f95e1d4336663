// Puts the page as its sources are now in front of an engine that serves the page of its last build, or none.
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { PAGE_POLICY } from '../../engine/gateway/routes/page.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Everything but the page's own files still comes from the engine. */
export async function servePage(page: Page, pageDir: string): Promise<void> {
  await page.route(/^[^?#]*\/(assets\/[^/]*)?$/, async (route) => {
    const { pathname } = new URL(route.request().url());
    const name = pathname === '/' ? '/index.html' : pathname;
    const headers = { 'content-security-policy': PAGE_POLICY };
    await route.fulfill({ body: await readFile(join(pageDir, name)), contentType: TYPES[extname(name)] ?? 'text/plain', headers });
  });
}
