import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FakeRows } from '../../fakes/rows.ts';
import { allIds, batchWhen, ended, line, linesOf, LOCAL_OWNER, newFolder, openBatches, rows, submit } from './opened.ts';

const idsOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `row-${at}`);
const failing = (status: number, code: string) => ({
  status,
  body: JSON.stringify({ error: { message: '', type: '', param: null, code } }),
});

describe('a batch', () => {
  it('answers every row once, and keeps its custom_id', async () => {
    const server = new FakeRows({
      answer: async ({ body }) => {
        await delay(5);
        return { status: 200, body: Buffer.from(body).toString() };
      },
    });
    const batches = await openBatches(server);
    const { id, status } = await submit(batches, rows(150));
    expect(status).toBe('validating');
    const batch = await ended(batches, id);
    expect(batch).toMatchObject({ status: 'completed', total: 150, completed: 150, failed: 0, model: 'fake', errorFileId: null });
    expect(await allIds(batches, batch)).toEqual(idsOf(150));
    expect(server.mostRunning).toBe(5);
    const file = await batches.file(batch.outputFileId ?? '', LOCAL_OWNER);
    let bytes = 0;
    for await (const part of batches.content(file)) bytes += part.byteLength;
    expect(file).toMatchObject({ filename: 'in_output.jsonl', purpose: 'batch_output', bytes });
  });

  it('runs rows that begin alike one after the other', async () => {
    const server = new FakeRows({ slots: 1 });
    const batches = await openBatches(server);
    const text = Array.from({ length: 30 }, (_, at) => line(`row-${at}`, { messages: [`system ${at % 3}`, `question ${at}`] })).join('\n');
    const { id } = await submit(batches, text);
    await ended(batches, id);
    const systems = server.begun.map(({ body }) => /system \d/.exec(Buffer.from(body).toString())?.[0]);
    expect(systems.filter((system, at) => system !== systems[at - 1])).toEqual(['system 0', 'system 1', 'system 2']);
  });

  it('has its failures in the error file, and tries again what may pass', async () => {
    const tried = new Map<string, number>();
    const server = new FakeRows({
      answer: ({ body, requestId }) => {
        const row = requestId.split('-').at(-2) ?? '';
        tried.set(row, (tried.get(row) ?? 0) + 1);
        if (row === '1') return failing(404, 'model_not_found');
        if (row === '2' && tried.get(row) === 1) return failing(429, 'queue_full');
        return { status: 200, body: Buffer.from(body).toString() };
      },
    });
    const batches = await openBatches(server);
    const { id } = await submit(batches, rows(3));
    const batch = await ended(batches, id);
    expect(batch).toMatchObject({ status: 'completed', completed: 2, failed: 1 });
    expect(tried.get('2')).toBe(2);
    expect(await linesOf(batches, batch.errorFileId)).toMatchObject([{ custom_id: 'row-0', response: { status_code: 404 }, error: null }]);
  });

  it('names each faulty line, and runs none', async () => {
    const server = new FakeRows();
    const batches = await openBatches(server);
    const cut = line('d').slice(0, -5);
    const { id } = await submit(batches, [line('a'), 'no json', line('a'), line('c').replace('/v1/chat', '/v2/chat'), cut].join('\n'));
    const batch = await ended(batches, id);
    expect(batch.status).toBe('failed');
    expect(batch.faults.map((fault) => [fault.line, fault.code])).toEqual([
      [2, 'invalid_json_line'],
      [3, 'duplicate_custom_id'],
      [4, 'invalid_url'],
      [5, 'invalid_json_line'],
    ]);
    expect(server.begun).toEqual([]);
  });

  it('lets interactive requests go first, and loses no row by it', async () => {
    const gate = Promise.withResolvers<void>();
    const server = new FakeRows({
      answer: async ({ body }) => {
        await gate.promise;
        return { status: 200, body: Buffer.from(body).toString() };
      },
    });
    const batches = await openBatches(server);
    const { id } = await submit(batches, rows(12));
    while (server.running < 5) await delay(5);
    server.setForeground(1);
    while (server.running > 0) await delay(5);
    expect(server.aborted).toBe(5);
    expect((await batches.view(LOCAL_OWNER)).activity).toMatchObject({ kind: 'waiting', rows: 0 });
    gate.resolve();
    server.setForeground(0);
    const batch = await ended(batches, id);
    expect(batch).toMatchObject({ completed: 12, failed: 0 });
    expect(await allIds(batches, batch)).toEqual(idsOf(12));
  });

  it('is cancelled at any moment: what ran stays, the rest is named', async () => {
    const never = new Promise<never>(() => undefined);
    const server = new FakeRows({
      answer: ({ body }, attempt) => (attempt <= 4 ? { status: 200, body: Buffer.from(body).toString() } : never),
    });
    const batches = await openBatches(server);
    const { id } = await submit(batches, rows(20));
    await batchWhen(batches, id, ({ completed }) => completed === 4);
    expect(await batches.cancel(id, LOCAL_OWNER)).toMatchObject({ status: 'cancelling' });
    const batch = await ended(batches, id);
    expect(batch).toMatchObject({ status: 'cancelled', completed: 4, failed: 16 });
    expect(await allIds(batches, batch)).toEqual(idsOf(20));
    expect((await linesOf(batches, batch.errorFileId)).every(({ error }) => error?.code === 'batch_cancelled')).toBe(true);
    await expect(batches.cancel(id, LOCAL_OWNER)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('expires with its window, and not because the clock is set', async () => {
    const never = new Promise<never>(() => undefined);
    let [nowMs, clockMs] = [1e12, 1e6];
    const server = new FakeRows({ answer: () => never });
    const batches = await openBatches(server, { now: () => nowMs, clock: () => clockMs, tickMs: 10 });
    const { id } = await submit(batches, rows(2), { window: '1h' });
    while (server.running < 2) await delay(5);
    nowMs += 86_400_000;
    const shifted = await batchWhen(batches, id, ({ expiresMs }) => expiresMs === 1e12 + 90_000_000);
    expect(shifted.status).toBe('in_progress');
    expect(server.aborted).toBe(0);
    [nowMs, clockMs] = [nowMs + 3_600_000, clockMs + 3_600_000];
    const batch = await ended(batches, id);
    expect(batch).toMatchObject({ status: 'expired', completed: 0, failed: 2 });
    expect((await linesOf(batches, batch.errorFileId)).map(({ error }) => error?.code)).toEqual(['batch_expired', 'batch_expired']);
  });

  it('goes on after a restart, and repeats no row that has its result', async () => {
    const dataDir = await newFolder();
    const never = new Promise<never>(() => undefined);
    const first = await openBatches(
      new FakeRows({ answer: ({ body }, attempt) => (attempt <= 7 ? { status: 200, body: Buffer.from(body).toString() } : never) }),
      { dataDir },
    );
    const { id } = await submit(first, rows(20));
    await batchWhen(first, id, ({ completed }) => completed === 7);
    await first.close();
    const server = new FakeRows();
    const second = await openBatches(server, { dataDir });
    const batch = await ended(second, id);
    expect(batch).toMatchObject({ completed: 20, failed: 0 });
    expect(server.begun).toHaveLength(13);
    expect(await allIds(second, batch)).toEqual(idsOf(20));
  });

  it('says of rows whose file is gone that they could not be read', async () => {
    const dataDir = await newFolder();
    const gate = Promise.withResolvers<void>();
    const server = new FakeRows({
      slots: 1,
      answer: async ({ body }) => {
        await gate.promise;
        return { status: 200, body: Buffer.from(body).toString() };
      },
    });
    const batches = await openBatches(server, { dataDir });
    const { id, inputFileId } = await submit(batches, rows(5));
    while (server.running < 2) await delay(5);
    await expect(batches.deleteFile(inputFileId, LOCAL_OWNER)).rejects.toMatchObject({ code: 'invalid_request' });
    await rm(join(dataDir, 'files', inputFileId));
    gate.resolve();
    const batch = await ended(batches, id);
    expect(batch).toMatchObject({ status: 'completed', completed: 2, failed: 3 });
    expect((await linesOf(batches, batch.errorFileId)).map(({ error }) => error?.code)).toEqual(Array(3).fill('input_file_lost'));
  });

  it('counts what its requests cost once each, and not those of others', async () => {
    const server = new FakeRows();
    const batches = await openBatches(server);
    const { id } = await submit(batches, rows(1));
    await ended(batches, id);
    const tokens = { promptTokens: 1, cachedTokens: 0, completionTokens: 2 };
    const charges = { energyUsd: 2, hardwareUsd: 3, upstreamUsd: 0, premiumUsd: 9, deviceMs: 5, ...tokens };
    batches.charged(server.begun[0]?.requestId ?? '', charges);
    batches.charged('req_of-somebody-else', charges);
    await batchWhen(batches, id, (batch) => batch.charges.deviceMs > 0);
    const [view] = (await batches.view(LOCAL_OWNER)).batches;
    expect(view?.cost).toEqual({ spotUsd: 2, interactiveUsd: 5, premiumUsd: 9, deviceMs: 5 });
  });
});

describe('files', () => {
  it('belong to their tenant', async () => {
    const batches = await openBatches(new FakeRows());
    const owner = { tenant: 'a', keyId: 'k', seesAll: false };
    const { id, inputFileId } = await submit(batches, rows(1), {}, owner);
    const other = { ...owner, tenant: 'b' };
    await expect(batches.file(inputFileId, other)).rejects.toMatchObject({ code: 'file_not_found' });
    await expect(batches.batch(id, other)).rejects.toMatchObject({ code: 'batch_not_found' });
    expect((await batches.batches({ limit: 10, after: null, order: 'desc' }, other)).entries).toEqual([]);
    expect((await batches.batches({ limit: 10, after: null, order: 'desc' }, owner)).entries).toHaveLength(1);
  });

  it('that were left half are swept away at the next start, whole ones are not', async () => {
    const dataDir = await newFolder();
    const first = await openBatches(new FakeRows(), { dataDir });
    const { inputFileId } = await submit(first, rows(1));
    await first.close();
    await writeFile(join(dataDir, 'files', 'x.partial'), 'half');
    const second = await openBatches(new FakeRows(), { dataDir });
    await expect(rm(join(dataDir, 'files', 'x.partial'))).rejects.toMatchObject({ code: 'ENOENT' });
    const parts: Uint8Array[] = [];
    for await (const part of second.content(await second.file(inputFileId, LOCAL_OWNER))) parts.push(part);
    expect(Buffer.concat(parts).toString()).toBe(rows(1));
  });
});
