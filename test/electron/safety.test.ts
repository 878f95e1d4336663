import { EventEmitter } from 'node:events';
import type { Session, WebContents } from 'electron';
import { beforeEach, describe, expect, it } from 'vitest';
import { answerCalls } from '../../electron/ipc.ts';
import { decideOpen, isOwnPage, lockNavigation } from '../../electron/navigation.ts';
import { denyPermissions } from '../../electron/permissions.ts';
import { AppWindow, windowOptions } from '../../electron/window.ts';
import { FakeElectron, FakeSession, FakeWindow } from './fake-electron.ts';

const FOREIGN = [
  'https://millrace/',
  'http://127.0.0.1:11711/',
  'app://evil/',
  'app://millrace.evil/',
  'file:///etc/passwd',
  'about:blank',
  'data:text/html,x',
  '',
];

describe('isOwnPage', () => {
  it('knows the app’s own page alone', () => {
    expect(['app://millrace/', 'app://millrace/#/history', 'app://millrace/assets/a.js'].every(isOwnPage)).toBe(true);
    expect(FOREIGN.filter(isOwnPage)).toEqual([]);
  });
});

describe('decideOpen', () => {
  const engine = 'http://127.0.0.1:11711';
  it('opens the web and the engine’s documents in the browser', () => {
    expect(decideOpen('https://huggingface.co/a?b#c', engine)).toEqual({ kind: 'browser', url: 'https://huggingface.co/a?b#c' });
    expect(decideOpen('app://millrace/docs/?x', engine)).toEqual({ kind: 'browser', url: 'http://127.0.0.1:11711/docs/?x' });
  });

  it.each([
    'app://millrace/docs/ without an engine',
    'app://millrace/',
    'http://example.org/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'smb://host/',
    'x',
  ])('denies %s', (address) =>
    expect(decideOpen(address.split(' ')[0] ?? '', address.includes('without') ? null : engine)).toEqual({ kind: 'denied' }),
  );
});

describe('lockNavigation', () => {
  const opened: string[] = [];
  let contents: EventEmitter & { open?: (details: { readonly url: string }) => object };

  beforeEach(() => {
    opened.length = 0;
    contents = Object.assign(new EventEmitter(), {
      setWindowOpenHandler: (handler: (details: { readonly url: string }) => object) => (contents.open = handler),
    });
    const shell = { openExternal: async (url: string) => void opened.push(url) };
    lockNavigation(contents as unknown as WebContents, shell as unknown as FakeElectron['api']['shell'], () => null);
  });

  function isPrevented(event: string, url: string): boolean {
    let prevented = false;
    contents.emit(event, { url, preventDefault: () => (prevented = true) });
    return prevented;
  }

  it.each(['will-navigate', 'will-redirect', 'will-frame-navigate'])('stops %s to anywhere but the own page', (event) => {
    expect(isPrevented(event, 'app://millrace/#/cost')).toBe(false);
    for (const url of FOREIGN) expect(isPrevented(event, url), url).toBe(true);
  });

  it('denies every new window and embedded page', () => {
    expect(isPrevented('will-attach-webview', 'app://millrace/')).toBe(true);
    expect(contents.open?.({ url: 'https://example.org/' })).toEqual({ action: 'deny' });
    expect(contents.open?.({ url: 'file:///etc/passwd' })).toEqual({ action: 'deny' });
    expect(opened).toEqual(['https://example.org/']);
  });
});

describe('denyPermissions', () => {
  it('grants the clipboard for writing to the own page, and nothing else to anybody', () => {
    const session = new FakeSession();
    denyPermissions(session as unknown as Session);
    const all = [
      'clipboard-sanitized-write',
      'clipboard-read',
      'media',
      'geolocation',
      'notifications',
      'midi',
      'fullscreen',
      'openExternal',
      'fileSystem',
      'usb',
    ];
    expect(all.filter((permission) => session.asks('app://millrace/', permission))).toEqual(['clipboard-sanitized-write']);
    expect(all.filter((permission) => session.asks('https://evil.example/', permission))).toEqual([]);
    expect(session.check?.(null, 'clipboard-sanitized-write', 'app://millrace')).toBe(true);
    expect(session.check?.(null, 'media', 'app://millrace')).toBe(false);
    expect(session.device?.()).toBe(false);
  });

  it('lets the own page alone save files', () => {
    const session = new FakeSession();
    denyPermissions(session as unknown as Session);
    const isStopped = (...chain: string[]): boolean => {
      let stopped = false;
      session.emit('will-download', { preventDefault: () => (stopped = true) }, { getURLChain: () => chain });
      return stopped;
    };
    expect(isStopped('app://millrace/api/history/export')).toBe(false);
    expect(isStopped('blob:app://millrace/1')).toBe(false);
    expect(isStopped('https://evil.example/a')).toBe(true);
    expect(isStopped('app://millrace/api/x', 'https://evil.example/a')).toBe(true);
  });
});

describe('answerCalls', () => {
  const info = { version: '1', platform: 'linux', engine: { kind: 'starting' }, openAtLogin: false } as const;

  it('answers the own page’s top frame alone', async () => {
    const electron = new FakeElectron();
    const restarts: string[] = [];
    answerCalls(electron.api.ipcMain, {
      'shell:info': () => info,
      'shell:restart-engine': () => (restarts.push('x'), null),
      'shell:open-at-login': (on) => on,
    });
    expect(electron.call('shell:info', { url: 'app://millrace/', parent: null })).toBe(info);
    expect(electron.call('shell:open-at-login', { url: 'app://millrace/', parent: null }, true)).toBe(true);
    const refused = [null, { url: 'app://millrace/', parent: {} }, { url: 'https://evil.example/', parent: null }];
    for (const frame of refused) expect(() => electron.call('shell:restart-engine', frame)).toThrow('own page alone');
    expect(restarts).toEqual([]);
  });
});

describe('the window', () => {
  it('keeps its page in the sandbox', () => {
    expect(windowOptions('/p.cjs').webPreferences).toMatchObject({
      preload: '/p.cjs',
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webviewTag: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
    });
  });

  it('is hidden when it is closed, until the app quits; a page that died is loaded anew', () => {
    const electron = new FakeElectron();
    const window = new AppWindow(electron.api.BrowserWindow, '/p.cjs');
    window.show();
    window.show();
    const [made] = FakeWindow.all;
    if (made === undefined) throw new Error('There is no window.');
    expect([FakeWindow.all.length, made.isVisible, made.webContents.url]).toEqual([1, true, 'app://millrace/']);
    const close = (): boolean => {
      let prevented = false;
      made.emit('close', { preventDefault: () => (prevented = true) });
      return prevented;
    };
    expect([close(), made.isVisible]).toEqual([true, false]);
    window.show();
    expect(made.isVisible).toBe(true);
    made.webContents.emit('render-process-gone', {}, { reason: 'clean-exit' });
    made.webContents.emit('render-process-gone', {}, { reason: 'oom' });
    expect(made.webContents.reloads).toBe(1);
    window.allowClose();
    expect(close()).toBe(false);
  });
});
