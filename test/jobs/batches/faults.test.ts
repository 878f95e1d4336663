// Faults in the middle of a batch: a model that goes, a disk that is full, a clock that is set, a cancel at any moment, two
// writers of one row. No row is lost, and none counts twice.
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BATCH_MIGRATIONS } from '../../../engine/jobs/batches/batch-schema.ts';
import { BatchStore, type BatchCharge, type RowResult } from '../../../engine/jobs/batches/batch-store.ts';
import { ResultWriter } from '../../../engine/jobs/batches/result-writer.ts';
import { EngineError } from '../../../engine/errors.ts';
import { openDatabase } from '../../../engine/ledger/store/database.ts';
import { FakeRows } from '../../fakes/rows.ts';
import { allIds, batchWhen, ended, linesOf, LOCAL_OWNER, newFolder, openBatches, rows, submit } from './opened.ts';

const idsOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `row-${at}`);
const CHARGES = {
  energyUsd: 0.25,
  hardwareUsd: 0,
  upstreamUsd: 0.5,
  premiumUsd: null,
  deviceMs: 8,
  promptTokens: 3,
  cachedTokens: 0,
  completionTokens: 2,
};

afterEach(() => {
  vi.useRealTimers();
});

describe('a batch whose model is deleted while it runs', () => {
  it('keeps what was answered, and names the rest in the error file', async () => {
    const gone = { status: 404, body: JSON.stringify({ error: { message: '', type: '', param: 'model', code: 'model_not_found' } }) };
    const server = new FakeRows({ answer: ({ body }, at) => (at <= 7 ? { status: 200, body: Buffer.from(body).toString() } : gone) });
    const batches = await openBatches(server);
    const batch = await ended(batches, (await submit(batches, rows(20))).id);
    expect(batch).toMatchObject({ status: 'completed', completed: 7, failed: 13 });
    expect(await allIds(batches, batch)).toEqual(idsOf(20));
    const statuses = (await linesOf(batches, batch.errorFileId)).map(({ response }) => response?.status_code);
    expect(new Set(statuses)).toEqual(new Set([404]));
  });
});

describe('a batch that is cancelled', () => {
  it.each([0, 1, 2, 5, 9, 12])('after %i answers has each row in one of its files', async (answered) => {
    const never = new Promise<never>(() => undefined);
    const server = new FakeRows({
      answer: ({ body }, at) => (at <= answered ? { status: 200, body: Buffer.from(body).toString() } : never),
    });
    const batches = await openBatches(server);
    const { id } = await submit(batches, rows(12));
    await batchWhen(batches, id, ({ status, completed }) => (status !== 'validating' && completed === answered) || status === 'completed');
    await batches.cancel(id, LOCAL_OWNER).catch((cause: unknown) => expect(cause).toMatchObject({ code: 'invalid_request' }));
    const batch = await ended(batches, id);
    expect(batch.completed + batch.failed).toBe(12);
    expect(await allIds(batches, batch)).toEqual(idsOf(12));
  });

  it('while its file is still read runs nothing, and counts no row that it does not name', async () => {
    const server = new FakeRows();
    const batches = await openBatches(server);
    const { id } = await submit(batches, rows(12));
    await batches.cancel(id, LOCAL_OWNER);
    const batch = await ended(batches, id);
    expect(batch.status).toBe('cancelled');
    expect(batch.completed + batch.failed).toBe(batch.total);
    expect(await allIds(batches, batch)).toHaveLength(batch.total);
  });
});

describe('a clock that is set back and forward by years', () => {
  it('ends no batch before its time, and loses no row', async () => {
    const server = new FakeRows();
    const begunMs = Date.now();
    const YEAR_MS = 31_536_000_000;
    const turns = [0, YEAR_MS, -YEAR_MS, 2 * YEAR_MS];
    const batches = await openBatches(server, {
      tickMs: 5,
      now: () => begunMs + (turns[Math.min(turns.length - 1, Math.floor(server.begun.length / 10))] ?? 0),
      clock: () => performance.now(),
    });
    const batch = await ended(batches, (await submit(batches, rows(40))).id);
    expect(batch).toMatchObject({ status: 'completed', completed: 40, failed: 0 });
    expect(await allIds(batches, batch)).toEqual(idsOf(40));
  });
});

describe('a disk that is full while results are written', () => {
  it('keeps results and costs, says so, and writes each once when there is room', async () => {
    vi.useFakeTimers();
    let isFull = true;
    const written: { readonly results: readonly RowResult[]; readonly charges: readonly BatchCharge[] }[] = [];
    const told: RowResult[] = [];
    const writer = new ResultWriter({
      write: async (results, charges) => {
        if (isFull) throw new EngineError('insufficient_storage', 'The disk is full.');
        written.push({ results, charges });
      },
      onWritten: (results) => void told.push(...results),
      log: pino({ level: 'silent' }),
    });
    const result = (line: number): RowResult => ({ batch: 'batch_a', line, kind: 'output', text: `${line}` });
    writer.add(result(1));
    writer.charge('batch_a', CHARGES);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(writer.fault).toBe('The disk is full.');
    writer.add(result(2));
    writer.charge('batch_a', CHARGES);
    isFull = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(writer.fault).toBeNull();
    expect(told.map(({ line }) => line)).toEqual([1, 2]);
    expect(written.flatMap(({ results }) => results)).toEqual(told);
    expect(written.flatMap(({ charges }) => charges).reduce((total, { energyUsd }) => total + energyUsd, 0)).toBe(0.5);
  });
});

describe('two writers of one row', () => {
  it('leave the first result alone, and count it once', async () => {
    const path = join(await newFolder(), 'batches.db');
    const opened = [1, 2].map(() => openDatabase({ path, migrations: BATCH_MIGRATIONS, synchronous: 'full', nowMs: 0 }).db);
    const [first, second] = opened.map((db) => new BatchStore(db));
    if (first === undefined || second === undefined) throw new Error('Two stores were to be opened.');
    const head = { tenant: 'local', keyId: null, endpoint: '/v1/chat/completions', inputFileId: 'file-1', filename: 'in.jsonl' };
    const ends = { window: '24h', metadata: null, outputLifeMs: null, createdMs: 0, expiresMs: 1e12 };
    first.addFile({ ...head, id: 'file-1', purpose: 'batch', bytes: 1, createdMs: 0, expiresMs: null, results: null });
    first.addBatch({ ...head, ...ends, id: 'batch_a' });
    const place = (line: number) => ({ line, customId: `row-${line}`, offset: 0, length: 1, model: 'fake' });
    first.begin('batch_a', { rows: [place(1), place(2)], model: 'fake' }, 1);
    first.commit([{ batch: 'batch_a', line: 1, kind: 'output', text: '"first"' }], []);
    second.commit([{ batch: 'batch_a', line: 1, kind: 'error', text: '"second"' }], []);
    second.commit([{ batch: 'batch_a', line: 2, kind: 'output', text: '"other"' }], []);
    first.commit([{ batch: 'batch_a', line: 2, kind: 'output', text: '"late"' }], []);
    expect(second.batch('batch_a')).toMatchObject({ completed: 2, failed: 0 });
    expect(first.results('batch_a', 'output', 0)?.text).toBe('"first"\n"other"\n');
    for (const db of opened) db.close();
  });
});
