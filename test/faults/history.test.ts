// The history goes wrong while the server serves: requests are answered as before, the console says so, and what can be kept is kept.
import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { Bookkeeping } from '../../engine/bookkeeping/bookkeeping.ts';
import type { RequestPage } from '../../engine/contract.ts';
import { createGateway, type Gateway } from '../../engine/gateway/gateway.ts';
import { FakeHost } from '../fakes/host.ts';
import { ask, post } from '../gateway/serving.ts';
import { banners } from './banners.ts';

const log = pino({ level: 'silent' });
const models = {
  preload: async () => ({ kind: 'installed' as const }),
  unload: async () => undefined,
  setPinned: () => undefined,
  setIdleUnload: () => undefined,
  keepAlive: () => undefined,
  remove: async () => ({ restorableUntilMs: 0 }),
  restore: async () => undefined,
  refresh: async () => undefined,
};

interface Running {
  readonly url: string;
  readonly dataDir: string;
  readonly books: Bookkeeping;
  readonly gateway: Gateway;
}

const running: Running[] = [];
afterEach(async () => {
  for (const { gateway, books, dataDir } of running.splice(0)) {
    await gateway.close({ drainMs: 0 });
    await books.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** A gateway over a fake host with real books; `before` spoils the data folder first. */
async function serveWithBooks(before: (dataDir: string) => Promise<unknown> = async () => undefined): Promise<Running> {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-history-'));
  await before(dataDir);
  const books = new Bookkeeping({ dataDir, version: '1.2.3', log, models, onSettings: () => undefined, spawnPull: null, notify: null });
  const gateway = await createGateway({
    host: new FakeHost(),
    config: { host: '127.0.0.1', port: 0, version: '1.2.3' },
    log,
    accounting: books.accounting,
    onRecord: (record) => books.record(record),
    console: () => books.services(),
  });
  books.serves(gateway);
  const { url } = await gateway.listen();
  const one = { url, dataDir, books, gateway };
  running.push(one);
  return one;
}

const chat = (url: string, id: string): Promise<number> =>
  post(`${url}/v1/chat/completions`, ask(), { headers: { 'content-type': 'application/json', 'x-request-id': id } }).then(
    async (response) => {
      await response.text();
      return response.status;
    },
  );

async function recorded(url: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/api/history/requests`);
  if (!response.ok) return [];
  return ((await response.json()) as RequestPage).rows.map(({ requestId }) => requestId).sort();
}

const PATIENCE = { timeout: 15_000, interval: 50 };

describe('a server and its history', () => {
  it('records what ends before the books are open', async () => {
    const { url } = await serveWithBooks();
    for (const id of ['a', 'b']) expect(await chat(url, id)).toBe(200);
    await expect.poll(() => recorded(url), PATIENCE).toEqual(['a', 'b']);
    expect(await banners(url)).toEqual([]);
  });

  it('sets a damaged file aside, says so, and begins a new one', async () => {
    const { url, dataDir } = await serveWithBooks(async (dir) => {
      const file = await open(join(dir, 'history.db'), 'w');
      await file.write('this is no database, '.repeat(1_000));
      await file.close();
    });
    expect(await chat(url, 'a')).toBe(200);
    await expect.poll(() => recorded(url), PATIENCE).toEqual(['a']);
    expect((await readdir(dataDir)).some((name) => name.startsWith('history.db.damaged-'))).toBe(true);
    expect(await banners(url)).toMatchObject([{ id: 'history-damaged' }]);
  });

  it('serves and counts on when its file is overwritten under it', async () => {
    const { url, dataDir } = await serveWithBooks();
    await chat(url, 'a');
    await expect.poll(() => recorded(url), PATIENCE).toEqual(['a']);
    for (const name of ['history.db', 'history.db-wal']) {
      const file = await open(join(dataDir, name), 'r+');
      const { size } = await file.stat();
      await file.write(Buffer.alloc(size, 0xa5), 0, size, 0);
      await file.close();
    }
    for (let at = 0; at < 5; at++) expect(await chat(url, `during-${at}`)).toBe(200);
    // What is written before anybody notices is in the file that is set aside.
    const isNoticed = async (): Promise<boolean> => {
      await recorded(url);
      return (await banners(url)).some(({ id }) => id === 'history-damaged');
    };
    await expect.poll(isNoticed, PATIENCE).toBe(true);
    expect(await chat(url, 'after')).toBe(200);
    await expect.poll(() => recorded(url), PATIENCE).toEqual(expect.arrayContaining(['after']));
  });

  it('serves when there can be no history at all, and says why', async () => {
    const { url } = await serveWithBooks((dir) => mkdir(join(dir, 'history.db')));
    for (let at = 0; at < 5; at++) expect(await chat(url, `r${at}`)).toBe(200);
    await expect.poll(async () => (await banners(url)).length, PATIENCE).toBe(1);
    const [banner] = await banners(url);
    expect(banner?.text).toMatch(/\.$/);
    expect(banner?.detail).toBeTruthy();
    expect((await fetch(`${url}/metrics`).then((response) => response.text())).includes('millrace_requests_total')).toBe(true);
  });
});
