import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { StoreFixture } from './files.ts';
import { aRequest, aSample, SOME_MS } from './records.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const RETENTION = { secondsHours: 2, minutesDays: 2, hoursDays: 10, requestsDays: 3 };
const countOf = (store: StoreFixture, table: string, grain: number): unknown =>
  store.db.prepare(`SELECT count(*) FROM ${table} WHERE grain = ?`).pluck().get(grain);

describe('deleteExpired', () => {
  it('keeps each grain as long as it should, and days for ever', () => {
    using store = new StoreFixture();
    const ages = [0, HOUR_MS, 3 * HOUR_MS, DAY_MS, 3 * DAY_MS, 12 * DAY_MS, 500 * DAY_MS];
    for (const age of ages) store.write({ samples: [aSample({ atMs: SOME_MS - age })] });
    store.maintain(SOME_MS, RETENTION);
    expect([0, 1, 2, 3].map((grain) => countOf(store, 'server_stats', grain))).toEqual([2, 4, 5, 5]);
    expect([0, 1, 2, 3].map((grain) => countOf(store, 'device_stats', grain))).toEqual([2, 4, 5, 5]);
  });

  it('forgets single requests and still knows what they cost', () => {
    using store = new StoreFixture();
    const old = SOME_MS - 8 * DAY_MS;
    store.write({ requests: [aRequest({ atMs: old }), aRequest()] });
    const range = { fromMs: old - DAY_MS, toMs: SOME_MS + DAY_MS };
    const costs = () => store.read<'costs'>({ kind: 'costs', range, by: 'model' }).rows[0];
    const before = costs();
    store.maintain(SOME_MS, RETENTION);
    const query = { range, filter: {}, order: 'newest', limit: 10, cursor: null } as const;
    expect(store.read<'requests'>({ kind: 'requests', query })).toMatchObject({ total: 1, rows: [{ atMs: SOME_MS }] });
    expect(costs()).toEqual(before);
    expect(before?.requests).toBe(2);
  });

  it('takes whole days where the hours are gone', () => {
    using store = new StoreFixture();
    const old = SOME_MS - 8 * DAY_MS;
    store.write({ requests: [aRequest({ atMs: old })] });
    store.maintain(SOME_MS, RETENTION);
    const hour = { fromMs: old + HOUR_MS, toMs: old + 2 * HOUR_MS };
    expect(store.read<'costs'>({ kind: 'costs', range: hour, by: 'day' }).rows).toMatchObject([{ group: '2026-02-24', requests: 1 }]);
  });

  it('counts requests of an hour that is partly forgotten as the list shows them', () => {
    using store = new StoreFixture();
    const cutoff = SOME_MS - 3 * DAY_MS;
    store.write({ requests: [-40, -20, 20, 40].map((minutes) => aRequest({ atMs: cutoff + minutes * 60_000 })) });
    store.maintain(SOME_MS, RETENTION);
    const range = { fromMs: cutoff - DAY_MS, toMs: SOME_MS };
    const query = { range, filter: { model: 'smol' }, order: 'newest', limit: 10, cursor: null } as const;
    const page = store.read<'requests'>({ kind: 'requests', query });
    expect([page.total, page.rows.length]).toEqual([2, 2]);
  });

  it('gives the room back to the file system', { timeout: 60_000 }, () => {
    using store = new StoreFixture();
    const requests = Array.from({ length: 4_000 }, (_, at) =>
      aRequest({ atMs: SOME_MS - 9 * DAY_MS + at, requestId: `client-${'x'.repeat(3_000)}-${at}` }),
    );
    store.write({ requests });
    store.db.pragma('wal_checkpoint(truncate)');
    const before = statSync(store.path).size;
    store.maintain(SOME_MS, RETENTION);
    store.db.pragma('wal_checkpoint(truncate)');
    // A few pages stay for what comes next.
    expect(statSync(store.path).size).toBeLessThan(before / 2);
  });

  it('exports samples at the finest grain that is whole', async () => {
    using store = new StoreFixture();
    for (const age of [0, 30 * 60_000, 3 * HOUR_MS]) store.write({ samples: [aSample({ atMs: SOME_MS - age })] });
    store.maintain(SOME_MS, RETENTION);
    const stepsFrom = (fromMs: number) => {
      const query = { range: { fromMs, toMs: SOME_MS + 1 }, table: 'samples', format: 'jsonl' } as const;
      const lines = store.read<'export'>({ kind: 'export', query, after: null }).text.trim().split('\n');
      return lines.map((line) => JSON.parse(line) as { kind: string; stepMs: number }).filter(({ kind }) => kind === 'server');
    };
    expect(stepsFrom(SOME_MS - HOUR_MS).map(({ stepMs }) => stepMs)).toEqual([1_000, 1_000]);
    expect(stepsFrom(SOME_MS - 4 * HOUR_MS).map(({ stepMs }) => stepMs)).toEqual([60_000, 60_000, 60_000]);
  });
});
