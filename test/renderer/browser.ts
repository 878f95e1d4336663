// Finds and starts the browser of the page tests.
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SYSTEM_PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The system's Chromium, else the one that playwright downloaded. @throws when there is none */
export function startBrowser(): Promise<Browser> {
  const path = [process.env['MILLRACE_TEST_CHROMIUM'] ?? '', ...SYSTEM_PATHS, chromium.executablePath()].find((each) => existsSync(each));
  if (path === undefined)
    throw new Error('No Chromium: run `npx playwright-core install chromium`, or set MILLRACE_TEST_CHROMIUM to its path.');
  return chromium.launch({ executablePath: path, headless: true, args: FLAGS });
}
