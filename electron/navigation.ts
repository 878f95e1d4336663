// Owns where the app's pages may go: nowhere but the app's own page. What a person opens goes to their browser.
// Pure but for `lockNavigation`, which tells Electron.
import type { WebContents } from 'electron';
import { ENGINE_PATHS } from './app-protocol.ts';
import type { ElectronApi } from './electron-api.ts';

export const APP_SCHEME = 'app';
export const APP_ORIGIN = `${APP_SCHEME}://millrace`;

/** Whether an address is one of the app's own page. */
export function isOwnPage(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && url.protocol === `${APP_SCHEME}:` && url.host === 'millrace';
}

export type OpenDecision = { readonly kind: 'browser'; readonly url: string } | { readonly kind: 'denied' };

/** What to do when the page wants to open an address: the web and the engine's own documents open in the browser, all else nowhere. */
export function decideOpen(address: string, engineUrl: string | null): OpenDecision {
  const url = URL.parse(address);
  if (url === null) return { kind: 'denied' };
  if (url.protocol === 'https:') return { kind: 'browser', url: url.href };
  const isEngines = isOwnPage(address) && ENGINE_PATHS.some((path) => url.pathname.startsWith(path));
  if (isEngines && engineUrl !== null) return { kind: 'browser', url: new URL(url.pathname + url.search, engineUrl).href };
  return { kind: 'denied' };
}

/** Keeps a page where it is, denies it windows and embedded pages, and opens what it links to in the browser. */
export function lockNavigation(contents: WebContents, shell: ElectronApi['shell'], engineUrl: () => string | null): void {
  const stay = (event: { preventDefault(): void }, address: string): void => {
    if (!isOwnPage(address)) event.preventDefault();
  };
  contents.on('will-navigate', (event) => stay(event, event.url));
  contents.on('will-redirect', (event) => stay(event, event.url));
  contents.on('will-frame-navigate', (event) => stay(event, event.url));
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    const decision = decideOpen(url, engineUrl());
    if (decision.kind === 'browser') void shell.openExternal(decision.url);
    return { action: 'deny' };
  });
}
