import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoginItem } from '../../electron/login-item.ts';
import { appPaths } from '../../electron/paths.ts';
import { claimInstance, Shell } from '../../electron/shell.ts';
import { FakeClock, FakeElectron, FakeWindow } from './fake-electron.ts';

const OWN = { url: 'app://millrace/', parent: null };

describe('claimInstance', () => {
  it('lets the first instance go on, sandboxed, with a scheme that is secure and streams', () => {
    const electron = new FakeElectron();
    expect(claimInstance(electron.api, 'linux')).toBe(true);
    expect(electron.app.modelId).toBeNull();
    expect(electron.app.isSandboxed).toBe(true);
    expect(electron.schemes).toEqual([
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } },
    ]);
  });

  it('names itself to Windows as the installer does', () => {
    const electron = new FakeElectron();
    claimInstance(electron.api, 'win32');
    const builder = readFileSync(new URL('../../electron-builder.yml', import.meta.url), 'utf8');
    expect(builder).toContain(`\nappId: ${electron.app.modelId ?? 'none'}\n`);
  });

  it('ends a second one', () => {
    const electron = new FakeElectron();
    electron.app.isFirst = false;
    expect(claimInstance(electron.api, 'linux')).toBe(false);
    expect(electron.app.quits).toBe(1);
    expect(electron.schemes).toEqual([]);
  });
});

describe('Shell', () => {
  let electron: FakeElectron;
  let clock: FakeClock;
  let isLoginOn: boolean;
  let server: Server;
  let url: string;
  let posted: string[];
  let live: ServerResponse[];

  beforeEach(async () => {
    electron = new FakeElectron();
    clock = new FakeClock();
    isLoginOn = false;
    posted = [];
    live = [];
    server = createServer((request, response) => {
      if (request.method === 'POST') posted.push(request.url ?? '');
      if (request.url !== '/api/live') return response.end('{}');
      live.push(response);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  function start(args: readonly string[] = []): Shell {
    const loginItem: LoginItem = { isOn: () => isLoginOn, set: async (on) => void (isLoginOn = on) };
    const shell = new Shell({
      electron: electron.api,
      paths: appPaths('/app'),
      clock,
      loginItem,
      args,
      platform: 'linux',
      updateFeed: null,
      onEngineOutput: () => undefined,
    });
    shell.start();
    return shell;
  }

  async function until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
  }

  const sendView = (change: object): void => {
    const view = { state: 'serving', tokensPerSecond: 0, queue: { running: 0, waiting: 0 }, alerts: [], ...change };
    live.at(-1)?.write(`event: now\ndata: ${JSON.stringify(view)}\n\n`);
  };

  it('opens its window, or stays in the tray when it was started at login', () => {
    start(['--hidden']);
    expect(FakeWindow.all).toEqual([]);
    expect(electron.processes).toHaveLength(1);
    electron.app.emit('second-instance');
    expect(FakeWindow.all).toHaveLength(1);
    expect(electron.session.defaultSession.request).not.toBeNull();
    expect(electron.session.defaultSession.handler).not.toBeNull();
  });

  it('serves the engine’s API to the page, whatever port it has, and tells the page how the engine is', async () => {
    start();
    const handler = electron.session.defaultSession.handler;
    const ask = async (): Promise<number | undefined> => (await handler?.(new Request('app://millrace/api/status')))?.status;
    expect(await ask()).toBe(503);
    electron.latest.say({ kind: 'listening', url });
    expect(await ask()).toBe(200);
    expect(FakeWindow.all[0]?.webContents.sent.at(-1)).toEqual({ channel: 'shell:engine', value: { kind: 'serving', url, isOurs: true } });
    expect(electron.call('shell:info', OWN)).toEqual({
      version: '1.2.3',
      platform: 'linux',
      engine: { kind: 'serving', url, isOurs: true },
      openAtLogin: false,
    });
    electron.app.emit('before-quit', { preventDefault: () => undefined });
  });

  it('shows in the tray what the engine does, pauses it, and notifies of alerts', async () => {
    start();
    expect(electron.menu[0]?.label).toBe('Starting');
    electron.latest.say({ kind: 'listening', url });
    await until(() => live.length === 1);
    const firing = { id: 'a', name: 'Long queue' };
    electron.latest.say({ kind: 'notice', title: 'Long queue', body: 'It is long. Add slots.' });
    sendView({ queue: { running: 2, waiting: 1 }, tokensPerSecond: 40, alerts: [firing] });
    await until(() => electron.menu[0]?.label === '2 running, 1 waiting, 40 tok/s, 1 alert');
    expect(electron.toolTip).toBe('Millrace: 2 running, 1 waiting, 40 tok/s, 1 alert');
    expect(electron.notices).toEqual([{ title: 'Long queue', body: 'It is long. Add slots.' }]);
    electron.click('Pause');
    await until(() => posted.length === 1);
    sendView({ state: 'paused', alerts: [firing] });
    await until(() => electron.menu[0]?.label === 'Paused, 1 alert');
    electron.click('Resume');
    await until(() => posted.length === 2);
    expect(posted).toEqual(['/api/pause', '/api/resume']);
    electron.app.emit('before-quit', { preventDefault: () => undefined });
  });

  it('starts a dead engine again, and follows the new one', async () => {
    start();
    electron.latest.say({ kind: 'listening', url });
    await until(() => live.length === 1);
    electron.latest.emit('exit', 139);
    expect(electron.menu[0]?.label).toBe('Not running: The engine ended unexpectedly with exit code 139.');
    electron.click('Start the engine now');
    electron.latest.say({ kind: 'listening', url });
    await until(() => live.length === 2);
    expect(electron.processes).toHaveLength(2);
    electron.app.emit('before-quit', { preventDefault: () => undefined });
  });

  it('opens at login when it is told so, from the tray and from the page', async () => {
    start();
    electron.click('Open at login');
    await until(() => electron.menu.find(({ label }) => label === 'Open at login')?.checked === true);
    expect(await electron.call('shell:open-at-login', OWN, false)).toBe(false);
    expect(isLoginOn).toBe(false);
    expect(await electron.call('shell:open-at-login', OWN, 'yes')).toBe(false);
  });

  it('lets running requests finish before it quits, once', async () => {
    start();
    electron.latest.say({ kind: 'listening', url });
    await until(() => live.length === 1);
    electron.click('Quit');
    electron.app.quit();
    expect(electron.app.quits).toBe(0);
    expect(electron.latest.sent.map(({ message }) => message)).toEqual([{ kind: 'close', drainMs: 10_000 }]);
    electron.latest.emit('exit', 0);
    await until(() => electron.app.quits === 1);
    expect(electron.menu).toEqual([]);
    await until(() => live[0]?.destroyed === true);
    clock.advance(60_000);
    expect(electron.processes).toHaveLength(1);
  });

  it('keeps every page that appears where it is', () => {
    start();
    const window = new FakeWindow({});
    electron.app.emit('web-contents-created', {}, window.webContents);
    expect(window.webContents.openHandler?.({ url: 'https://example.org/' })).toEqual({ action: 'deny' });
    expect(electron.opened).toEqual(['https://example.org/']);
  });
});
