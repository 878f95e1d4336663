import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { followLive, type LiveView } from '../../electron/live.ts';
import { statusLine, trayMenu, type TrayActions, type TrayView } from '../../electron/tray.ts';
import type { ActiveAlert } from '../../engine/contract.ts';

const VIEW: LiveView = {
  state: 'serving',
  tokensPerSecond: 0,
  queue: { running: 0, waiting: 0, waitP50Ms: null, waitP99Ms: null },
  alerts: [],
};
const alert = (id: string, snoozedUntilMs: number | null = null): ActiveAlert => ({
  id,
  ruleId: 'queue-depth',
  name: 'Long queue',
  subject: 'mill',
  sinceMs: 0,
  value: 143,
  threshold: 100,
  sentence: 'The queue is long.',
  remedy: 'Add slots.',
  snoozedUntilMs,
});

describe('the shell as a client of the console API', () => {
  let server: Server;
  let url: string;
  let connections = 0;
  let frames: readonly string[] = [];

  beforeEach(async () => {
    connections = 0;
    server = createServer((_request, response) => {
      connections += 1;
      if (connections === 2) return response.writeHead(503).end();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const frame of frames) response.write(frame);
      return connections === 1 ? response.end() : undefined;
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('follows the engine, comes back after a disconnect and a refusal, and ends when told', async () => {
    const text = JSON.stringify({ ...VIEW, tokensPerSecond: 7 });
    frames = ['retry: 1000\n\n', `event: other\ndata: {}\n\nevent: now\ndata: ${text.slice(0, 20)}`, `${text.slice(20)}\n\n`];
    const end = new AbortController();
    const views: number[] = [];
    let lost = 0;
    const done = followLive({
      engineUrl: url,
      signal: end.signal,
      retryMs: 1,
      onView: ({ tokensPerSecond }) => {
        views.push(tokensPerSecond);
        if (views.length === 2) end.abort();
      },
      onLost: () => (lost += 1),
    });
    await done;
    expect(views).toEqual([7, 7]);
    expect([connections, lost]).toEqual([3, 2]);
  });
});

describe('the tray', () => {
  const serving = { kind: 'serving', url: 'http://127.0.0.1:11711', isOurs: true } as const;
  const actions: TrayActions = {
    open: () => undefined,
    setPaused: () => undefined,
    restartEngine: () => undefined,
    setOpenAtLogin: () => undefined,
    openUpdate: () => undefined,
    quit: () => undefined,
  };
  const view = (change: Partial<TrayView>): TrayView => ({ engine: serving, live: VIEW, openAtLogin: false, update: null, ...change });
  const labels = (change: Partial<TrayView>) => trayMenu(view(change), actions).flatMap(({ label }) => label ?? []);

  it.each([
    [view({}), 'Ready, nobody asks'],
    [view({ live: null }), 'Serving at http://127.0.0.1:11711'],
    [
      view({ live: { ...VIEW, tokensPerSecond: 411.6, queue: { ...VIEW.queue, running: 6, waiting: 2 } } }),
      '6 running, 2 waiting, 412 tok/s',
    ],
    [view({ live: { ...VIEW, state: 'paused', alerts: [alert('a')] } }), 'Paused, 1 alert'],
    [view({ live: { ...VIEW, state: 'draining', queue: { ...VIEW.queue, running: 3 } } }), 'Finishing 3 requests'],
    [view({ engine: { kind: 'starting' } }), 'Starting'],
    [view({ engine: { kind: 'stopped' } }), 'Stopped'],
    [view({ engine: { kind: 'waiting', reason: 'Port 11711 is taken.', retryAtMs: 0 } }), 'Not running: Port 11711 is taken.'],
  ])('says how the engine is (%#)', (shown, line) => {
    expect(statusLine(shown)).toBe(line);
  });

  it('offers what makes sense now', () => {
    expect(labels({})).toEqual(['Ready, nobody asks', 'Open Millrace', 'Pause', 'Open at login', 'Quit']);
    expect(labels({ live: { ...VIEW, state: 'paused' } })).toContain('Resume');
    expect(labels({ engine: { kind: 'waiting', reason: 'x', retryAtMs: 0 }, live: null })).toContain('Start the engine now');
    expect(labels({ update: { version: '2.0.0', url: 'https://box.lan/' } })).toContain('Version 2.0.0 is available');
    expect(trayMenu(view({ live: null }), actions).find(({ label }) => label === 'Pause')?.enabled).toBe(false);
    expect(trayMenu(view({ openAtLogin: true }), actions).find(({ label }) => label === 'Open at login')?.checked).toBe(true);
  });
});
