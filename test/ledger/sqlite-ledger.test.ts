// The whole ledger through its threads: what is recorded can be read, and what happens to the file stops nothing.
import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import type { Ledger } from '../../engine/ledger/ledger.ts';
import { openLedger } from '../../engine/ledger/sqlite-ledger.ts';
import { aFolder } from './store/files.ts';
import { aRequest, aSample, SOME_MS } from './store/records.ts';

const RANGE = { fromMs: SOME_MS - 1_000, toMs: SOME_MS + 60_000 };
const ALL = { range: RANGE, filter: {}, order: 'newest', limit: 10, cursor: null } as const;
const open = (folder: { readonly path: string }): Promise<Ledger> =>
  openLedger({ path: join(folder.path, 'history.db'), log: pino({ level: 'silent' }), now: () => SOME_MS });
const totalOf = async (ledger: Ledger): Promise<number> => (await ledger.requests(ALL)).total;
/** Records are written within a second; the machine may be slow. */
const soon = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 50 });

describe('openLedger', () => {
  it('takes records at once, answers from them soon, and has them after a restart', async () => {
    using folder = aFolder();
    const ledger = await open(folder);
    ledger.record(aRequest());
    ledger.sample(aSample());
    await soon(async () => expect(await totalOf(ledger)).toBe(1));
    const { values } = await ledger.series({ range: RANGE, stepMs: null, names: ['requests', 'utilisation'], of: 'all' });
    expect([values.requests?.[1], values.utilisation?.[1]]).toEqual([1, 0.5]);
    expect((await ledger.costs(RANGE, 'model')).total).toMatchObject({ requests: 1, costUsd: 0.0000039 });
    ledger.record(aRequest());
    await ledger.close();
    const again = await open(folder);
    expect(await totalOf(again)).toBe(2);
    expect(again.health).toEqual({ kind: 'ok' });
    await again.close();
    expect(readdirSync(folder.path)).toEqual(['history.db']);
  });

  it('tells listeners of settings, until they stop', async () => {
    using folder = aFolder();
    const ledger = await open(folder);
    const heard: number[] = [];
    const stop = ledger.onSettings(({ cost }) => heard.push(cost.idleWatts));
    await ledger.changeSettings({ cost: { idleWatts: 11 } });
    await expect(ledger.changeSettings({ cost: { idleWatts: -1 } })).rejects.toMatchObject({ code: 'invalid_request' });
    stop();
    await ledger.changeSettings({ cost: { idleWatts: 12 } });
    expect(heard).toEqual([11]);
    expect(ledger.settings.cost.idleWatts).toBe(12);
    await ledger.close();
  });

  it('has a change stored although one who acts by it fails, and tells the others', async () => {
    using folder = aFolder();
    const ledger = await open(folder);
    const heard: number[] = [];
    ledger.onSettings(() => {
      throw new Error('No place for pins.');
    });
    ledger.onSettings(({ cost }) => heard.push(cost.idleWatts));
    expect((await ledger.changeSettings({ cost: { idleWatts: 13 } })).cost.idleWatts).toBe(13);
    expect(heard).toEqual([13]);
    await ledger.close();
  });

  it('refuses a wrong question and answers the next', async () => {
    using folder = aFolder();
    const ledger = await open(folder);
    await expect(ledger.requests({ ...ALL, limit: 0 })).rejects.toMatchObject({ code: 'invalid_request', param: 'limit' });
    expect(await totalOf(ledger)).toBe(0);
    expect(await ledger.request(12)).toBeUndefined();
    await ledger.close();
  });

  it('exports until it is told to stop, and answers others meanwhile', async () => {
    using folder = aFolder();
    const ledger = await open(folder);
    for (let at = 0; at < 900; at++) ledger.record(aRequest({ atMs: SOME_MS + at }));
    await soon(async () => expect(await totalOf(ledger)).toBe(900));
    const controller = new AbortController();
    const pieces = [];
    for await (const piece of ledger.export({ range: RANGE, table: 'requests', format: 'jsonl' }, controller.signal)) {
      pieces.push(piece);
      expect(await totalOf(ledger)).toBe(900);
      if (pieces.length === 2) controller.abort();
    }
    expect(pieces).toHaveLength(2);
    await ledger.close();
  });
});

describe('a ledger in trouble', () => {
  it('says that the file is locked, holds what comes, and writes it when it can', { timeout: 60_000 }, async () => {
    using folder = aFolder();
    const ledger = await open(folder);
    expect(await totalOf(ledger)).toBe(0);
    const other = new SqliteDatabase(join(folder.path, 'history.db'));
    other.exec('BEGIN IMMEDIATE');
    ledger.record(aRequest());
    await soon(() => expect(ledger.health).toMatchObject({ kind: 'locked', sinceMs: SOME_MS, lost: 0 }));
    ledger.record(aRequest());
    other.exec('ROLLBACK');
    other.close();
    await soon(async () => expect(await totalOf(ledger)).toBe(2));
    expect(ledger.health).toEqual({ kind: 'ok' });
    await ledger.close();
  });

  it('sets a file that is damaged while it runs aside, keeps settings, and goes on', { timeout: 60_000 }, async () => {
    using folder = aFolder();
    const path = join(folder.path, 'history.db');
    const first = await open(folder);
    await first.changeSettings({ pinnedModels: ['smol'] });
    for (let at = 0; at < 2_000; at++) first.record(aRequest({ atMs: SOME_MS + at, requestId: `client-${at}` }));
    await first.close();
    const ledger = await open(folder);
    expect(await totalOf(ledger)).toBe(2_000);
    // Everything after the first page is lost under the open file.
    const { size } = statSync(path);
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(size - 4_096, 0xa5), 0, size - 4_096, 4_096);
    closeSync(file);
    await soon(async () => {
      ledger.record(aRequest({ atMs: SOME_MS + 5_000 }));
      // The writer may have its pages in memory still; a reader comes across the damage.
      await ledger.requests({ ...ALL, order: 'slowest' }).catch(() => undefined);
      expect(ledger.health).toMatchObject({ kind: 'damaged' });
      expect(readdirSync(folder.path).some((name) => name.startsWith('history.db.damaged-'))).toBe(true);
      expect(await totalOf(ledger)).toBeGreaterThan(0);
    });
    expect(await totalOf(ledger)).toBeLessThan(2_000);
    expect(ledger.settings.pinnedModels).toEqual(['smol']);
    await ledger.close();
  });

  it('records nothing into the file of a later version, says so, and goes on', async () => {
    using folder = aFolder();
    const later = new SqliteDatabase(join(folder.path, 'history.db'));
    later.pragma('user_version = 99');
    later.exec('CREATE TABLE from_the_future (id)');
    later.close();
    const ledger = await open(folder);
    ledger.record(aRequest());
    await soon(() => expect(ledger.health).toMatchObject({ kind: 'failed', sentence: expect.stringContaining('newer version') }));
    await expect(ledger.requests(ALL)).rejects.toMatchObject({ code: 'history_unavailable' });
    await ledger.changeSettings({ pinnedModels: ['smol'] });
    await ledger.close();
    const untouched = new SqliteDatabase(join(folder.path, 'history.db'));
    expect(untouched.prepare('SELECT count(*) FROM from_the_future').pluck().get()).toBe(0);
    untouched.close();
  });
});
