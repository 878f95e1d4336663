// The writer when the disk is full, the file is locked or damaged, and when batches come twice.
import SqliteDatabase from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { StoreFixture } from './files.ts';
import { aRequest, aSample, SOME_MS } from './records.ts';

const DAY_MS = 86_400_000;
const DAY = { fromMs: SOME_MS - DAY_MS, toMs: SOME_MS + DAY_MS };

const countRequests = (store: StoreFixture): number =>
  store.read<'requests'>({ kind: 'requests', query: { range: DAY, filter: {}, order: 'newest', limit: 1, cursor: null } }).total;
const sumRequests = (store: StoreFixture): number =>
  store.read<'costs'>({ kind: 'costs', range: DAY, by: 'model' }).rows.reduce((sum, row) => sum + row.requests, 0);

describe('Writer', () => {
  it('writes a batch once, however often it is sent', () => {
    using store = new StoreFixture();
    for (let time = 0; time < 3; time++) store.write({ id: 'again', requests: [aRequest()], samples: [aSample()] });
    expect([countRequests(store), sumRequests(store)]).toEqual([1, 1]);
  });

  it('says that the disk is full, keeps nothing of that batch, and writes it when there is room', () => {
    using store = new StoreFixture();
    const pages = Number(store.db.pragma('page_count', { simple: true }));
    // As SQLite sees a full disk: the file cannot grow.
    store.db.pragma(`max_page_count = ${pages + 1}`);
    const requests = Array.from({ length: 400 }, (_, at) => aRequest({ requestId: `client-${at}`, tenant: `tenant-${at}` }));
    expect(store.write({ id: 'large', requests })).toMatchObject({ kind: 'fault', fault: { kind: 'disk_full', canRetry: true } });
    expect(countRequests(store)).toBe(0);
    store.db.pragma('max_page_count = 1000000');
    expect(store.write({ id: 'large', requests })).toMatchObject({ kind: 'done' });
    expect([countRequests(store), sumRequests(store)]).toEqual([400, 400]);
    const query = { range: DAY, filter: { tenant: 'tenant-399' }, order: 'newest', limit: 1, cursor: null } as const;
    expect(store.read<'requests'>({ kind: 'requests', query }).rows).toMatchObject([{ requestId: 'client-399', tenant: 'tenant-399' }]);
  });

  it('says that the file is locked while another program has it, and writes afterwards', () => {
    using store = new StoreFixture();
    store.db.pragma('busy_timeout = 1');
    const other = new SqliteDatabase(store.path);
    other.exec('BEGIN EXCLUSIVE');
    expect(store.write({ id: 'b', requests: [aRequest()] })).toMatchObject({ kind: 'fault', fault: { kind: 'locked', canRetry: true } });
    other.exec('ROLLBACK');
    other.close();
    expect(store.write({ id: 'b', requests: [aRequest()] })).toMatchObject({ kind: 'done' });
    expect(countRequests(store)).toBe(1);
  });

  it('does not try again what the tables refuse', () => {
    using store = new StoreFixture();
    const wrong = { ...aRequest(), endpoint: undefined } as unknown as ReturnType<typeof aRequest>;
    expect(store.write({ requests: [wrong] })).toMatchObject({ kind: 'fault', fault: { kind: 'failed', canRetry: false } });
  });

  it('begins a new file when it is told to replace one, and keeps the old', () => {
    using store = new StoreFixture();
    store.write({ requests: [aRequest()] });
    store.reader.answer({ kind: 'close' });
    const answer = store.writer.answer({ kind: 'replace', nowMs: SOME_MS });
    expect(answer).toMatchObject({ kind: 'done', setAside: `${store.path}.damaged-20260304T050607Z` });
    store.write({ requests: [aRequest(), aRequest()] });
    expect(countRequests(store)).toBe(2);
  });

  it('updates an alert when it ends', () => {
    using store = new StoreFixture();
    const event = {
      id: 'a1',
      ruleId: 'queue',
      name: 'Queue',
      subject: null,
      sinceMs: SOME_MS,
      value: 120,
      threshold: 100,
      sentence: 'Many wait.',
      remedy: 'Add a replica.',
      endedMs: null,
      peak: 130,
    };
    store.write({ alerts: [event, { ...event, id: 'a0', sinceMs: SOME_MS - 1 }] });
    store.write({ alerts: [{ ...event, endedMs: SOME_MS + 5_000 }] });
    const alerts = store.read<'alerts'>({ kind: 'alerts', limit: 10 });
    expect(alerts.map(({ id, endedMs }) => [id, endedMs])).toEqual([
      ['a1', SOME_MS + 5_000],
      ['a0', null],
    ]);
    expect(store.read<'alerts'>({ kind: 'alerts', limit: 1 })).toHaveLength(1);
  });
});
