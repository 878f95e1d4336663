// The page inside the desktop app: what its preload gives is used, and in a browser nothing of it is there.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { ShellBridge } from '../../electron/channels.ts';
import type { DesktopShell } from '../../renderer/src/shell/desktop.ts';
import { consolePages } from './console-pages.ts';

const { open } = consolePages();

declare global {
  interface Window {
    /** What the page asked of the app. */
    asked: string[];
    /** Tells the page of its engine. */
    tellEngine: (state: unknown) => void;
  }
}

/** The app's preload, as far as the page can see it; the system takes `Open at login` unless `refuses`. */
async function inApp(page: Page, refuses = false): Promise<void> {
  await page.addInitScript((no) => {
    window.asked = [];
    const listeners = new Set<(state: unknown) => void>();
    window.tellEngine = (state) => listeners.forEach((listener) => listener(state));
    const engine = { kind: 'serving', url: 'http://127.0.0.1:1', isOurs: true };
    const shell = {
      info: async () => ({ version: '1.2.3', platform: 'linux', engine, openAtLogin: false }),
      restartEngine: async () => void window.asked.push('restart'),
      setOpenAtLogin: async (on: boolean) => {
        window.asked.push(`login ${on}`);
        return on && !no;
      },
      onEngine: (listener: (state: unknown) => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    Object.defineProperty(window, 'millraceShell', { value: shell });
  }, refuses);
  await page.reload();
}

const asked = (page: Page): Promise<readonly string[]> => page.evaluate(() => window.asked);

describe('the desktop app', () => {
  it('gives what the page takes from it', () => {
    const takes = (bridge: ShellBridge): DesktopShell => bridge;
    expect(takes).toBeTypeOf('function');
  });

  it('opens at login when Settings says so', async () => {
    const { page, faults } = await open('/settings');
    await inApp(page);
    const app = page.getByRole('region', { name: 'This app' });
    await app.getByText('Millrace 1.2.3 on linux.').waitFor();
    const box = app.getByRole('checkbox', { name: 'Open at login' });
    await box.check();
    await expect.poll(() => asked(page)).toEqual(['login true']);
    expect(await box.isChecked()).toBe(true);
    expect(faults).toEqual([]);
  });

  it('says when the system did not take it', async () => {
    const { page } = await open('/settings');
    await inApp(page, true);
    const box = page.getByRole('checkbox', { name: 'Open at login' });
    await box.click();
    await page.getByText('The system did not take the change.').waitFor();
    expect(await box.isChecked()).toBe(false);
  });

  it('starts a lost engine when asked to, and says why it ended', async () => {
    const { page, fake } = await open('/now');
    await inApp(page);
    await page.getByRole('region', { name: 'Devices' }).waitFor();
    await fake.stop();
    await page.getByText('Connection lost').waitFor();
    const restart = page.getByRole('button', { name: 'Restart the engine' });
    expect(await restart.count()).toBe(0);
    await page.evaluate(() => window.tellEngine({ kind: 'waiting', reason: 'Its disk is full.', retryAtMs: 1 }));
    await page.getByText('Its disk is full.').waitFor();
    await restart.click();
    expect(await asked(page)).toEqual(['restart']);
    await page.evaluate(() => window.tellEngine({ kind: 'starting' }));
    await page.getByText('The engine is starting.').waitFor();
    expect(await restart.count()).toBe(0);
  });

  it('is not there in a browser', async () => {
    const { page } = await open('/settings');
    await page.getByRole('region', { name: 'Colours' }).waitFor();
    expect(await page.getByRole('region', { name: 'This app' }).count()).toBe(0);
  });
});
