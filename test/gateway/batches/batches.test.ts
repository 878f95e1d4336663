// Files and batches through HTTP, over the real gateway and the real store, with a fake host behind.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import OpenAI, { toFile } from 'openai';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createGateway } from '../../../engine/gateway/gateway.ts';
import { Batches } from '../../../engine/jobs/batches/batches.ts';
import type { RequestRecord } from '../../../engine/ledger/ledger.ts';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';
import { FakeHost, type FakeHostOptions } from '../../fakes/host.ts';
import { ask, errorOf, post, rawExchange, until } from '../serving.ts';

const ENDPOINT = '/v1/chat/completions';
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(options: FakeHostOptions = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-files-'));
  const log = pino({ level: 'silent' });
  const host = new FakeHost(options);
  const records: RequestRecord[] = [];
  let batches: Batches | null = null;
  const gateway = await createGateway({
    host,
    config: { host: '127.0.0.1', port: 0, version: '1.2.3' },
    log,
    onRecord: (record) => records.push(record),
    batches: async () => batches ?? expect.fail('not open'),
  });
  batches = new Batches({
    dataDir,
    log,
    server: gateway.rows,
    settings: () => DEFAULT_SETTINGS.batch,
    surroundings: () => ({ minuteOfDay: 0, isOnMains: true, celsius: null, usdPerKwh: 0 }),
  });
  await batches.open();
  const { url, port } = await gateway.listen();
  const opened = batches;
  closing.push(
    () => gateway.close({ drainMs: 0 }),
    () => opened.close(),
    () => rm(dataDir, { recursive: true, force: true }),
  );
  return { url, port, host, records, dataDir, client: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 }) };
}

type Started = Awaited<ReturnType<typeof start>>;

const row = (id: string, body: object = {}): string =>
  JSON.stringify({ custom_id: id, method: 'POST', url: ENDPOINT, body: { ...ask(), ...body } });

async function submit({ client }: Started, lines: readonly string[]): Promise<string> {
  const file = await client.files.create({ purpose: 'batch', file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl') });
  const batch = await client.batches.create({ input_file_id: file.id, endpoint: ENDPOINT, completion_window: '24h', metadata: { a: 'b' } });
  return batch.id;
}

async function ended({ client }: Started, id: string): Promise<OpenAI.Batches.Batch> {
  for (;;) {
    const batch = await client.batches.retrieve(id);
    if (['completed', 'failed', 'cancelled', 'expired'].includes(batch.status)) return batch;
    await delay(10);
  }
}

const upload = (url: string, form: FormData): Promise<Response> => fetch(`${url}/v1/files`, { method: 'POST', body: form });

function formOf(fields: Readonly<Record<string, string>>, text = row('a')): FormData {
  const form = new FormData();
  form.set('file', new Blob([text]), 'in.jsonl');
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

describe('/v1/batches', () => {
  it('answers each row as the endpoint would, faults of single rows included', async () => {
    const started = await start();
    const batch = await ended(
      started,
      await submit(started, [row('good'), row('bad', { temperature: 'hot' }), row('none', { model: 'nobody' })]),
    );
    expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 1, failed: 2 }, metadata: { a: 'b' } });
    const output = JSON.parse(await (await started.client.files.content(batch.output_file_id ?? '')).text());
    expect(output).toMatchObject({ custom_id: 'good', response: { status_code: 200, body: { object: 'chat.completion' } }, error: null });
    const errors = (await (await started.client.files.content(batch.error_file_id ?? '')).text()).trimEnd().split('\n');
    expect(errors.map((line) => JSON.parse(line))).toMatchObject([
      { custom_id: 'bad', response: { status_code: 400, body: { error: { param: 'temperature' } } } },
      { custom_id: 'none', response: { status_code: 404, body: { error: { code: 'model_not_found' } } } },
    ]);
  });

  it('records rows under its own name, each as it ended, with the priority of batches', async () => {
    const started = await start();
    const id = await submit(started, [row('a'), row('b')]);
    await ended(started, id);
    expect(started.records.map(({ endpoint, outcome, status }) => [endpoint, outcome, status])).toEqual(
      Array(2).fill(['/v1/batches', 'ok', 200]),
    );
    expect(started.records.every(({ requestId }) => requestId.startsWith(id))).toBe(true);
    expect(started.host.requests.map(({ caller }) => caller?.priority)).toEqual(['batch', 'batch']);
  });

  it('gives way at once when somebody asks, and runs the rows again', async () => {
    const started = await start({ stepMs: null });
    const { host, url } = started;
    const id = await submit(
      started,
      ['a', 'b', 'c'].map((name) => row(name)),
    );
    await until(() => host.openCount === 3);
    const answer = post(`${url}${ENDPOINT}`, ask());
    await until(() => host.cancelled === 3);
    expect(host.openCount).toBeLessThanOrEqual(1);
    await until(() => host.openCount === 1);
    expect(host.requests.at(-1)?.caller?.priority).toBe('interactive');
    const stepping = setInterval(() => host.step(), 1);
    closing.push(async () => clearInterval(stepping));
    expect((await answer).status).toBe(200);
    expect(await ended(started, id)).toMatchObject({ request_counts: { completed: 3, failed: 0 } });
    const outcomes = started.records.filter(({ endpoint }) => endpoint === '/v1/batches').map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual([...Array(3).fill('cancelled'), ...Array(3).fill('ok')]);
  });

  it('is cancelled, listed page by page, and refused by name', async () => {
    const started = await start({ stepMs: null });
    const { client, url } = started;
    const first = await submit(started, [row('a')]);
    const second = await submit(started, [row('a')]);
    // One that is cancelled while it is validated has no rows yet.
    await until(() => started.host.openCount === 2);
    expect(await client.batches.cancel(first)).toMatchObject({ status: 'cancelling' });
    expect(await ended(started, first)).toMatchObject({ status: 'cancelled', request_counts: { failed: 1 } });
    const page = await client.batches.list({ limit: 1 });
    expect([page.data[0]?.id, page.has_more]).toEqual([second, true]);
    expect((await client.batches.list({ limit: 1, after: second })).data[0]?.id).toBe(first);
    const body = { input_file_id: 'file-none', endpoint: ENDPOINT, completion_window: '24h' };
    expect(await errorOf(await post(`${url}/v1/batches`, body))).toMatchObject({ status: 404, code: 'file_not_found' });
    expect(await errorOf(await post(`${url}/v1/batches`, { ...body, endpoint: '/v1/nope' }))).toMatchObject({
      status: 400,
      param: 'endpoint',
    });
    expect(await errorOf(await fetch(`${url}/v1/batches/batch_none`))).toMatchObject({ status: 404, code: 'batch_not_found' });
  });

  it('cannot be entered from outside by the header of its rows', async () => {
    const { url, host } = await start();
    const headers = { 'content-type': 'application/json', 'x-millrace-row': 'guess' };
    await fetch(`${url}${ENDPOINT}`, { method: 'POST', headers, body: JSON.stringify(ask()) });
    expect(host.requests[0]?.caller?.priority).toBe('interactive');
  });
});

describe('/v1/files', () => {
  it('is uploaded, read, listed and deleted; the fields come in any order', async () => {
    const { client, url } = await start();
    const form = formOf({ purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '3600' }, 'some\ntext');
    const response = await upload(url, form);
    const file = (await response.json()) as OpenAI.Files.FileObject;
    expect(file).toMatchObject({ object: 'file', bytes: 9, filename: 'in.jsonl', purpose: 'batch', status: 'processed' });
    expect((file.expires_at ?? 0) - file.created_at).toBe(3600);
    expect(await (await client.files.content(file.id)).text()).toBe('some\ntext');
    expect((await client.files.list({ purpose: 'batch' })).data.map(({ id }) => id)).toEqual([file.id]);
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
    expect(await errorOf(await fetch(`${url}/v1/files/${file.id}`))).toMatchObject({ status: 404, code: 'file_not_found' });
  });

  it('names what is wrong with an upload, and keeps nothing of it', async () => {
    const { url, port, dataDir } = await start();
    expect(await errorOf(await upload(url, formOf({ purpose: 'fine-tune' })))).toMatchObject({ status: 400, param: 'purpose' });
    expect(await errorOf(await upload(url, formOf({ purpose: 'batch', 'expires_after[anchor]': 'now' })))).toMatchObject({
      param: 'expires_after.anchor',
    });
    const empty = new FormData();
    empty.set('purpose', 'batch');
    expect(await errorOf(await upload(url, empty))).toMatchObject({ status: 400, param: 'file' });
    const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf of';
    const head = `POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nConnection: close\r\n`;
    expect(await rawExchange(port, `${head}Content-Length: ${part.length}\r\n\r\n${part}`)).toMatch(
      /^HTTP\/1\.1 400 [\s\S]*invalid_request/,
    );
    expect(await readdir(join(dataDir, 'files'))).toEqual([]);
  });

  it('takes forms of its own pages alone', async () => {
    const { url } = await start();
    const foreign = await fetch(`${url}/v1/files`, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: formOf({ purpose: 'batch' }),
    });
    expect(await errorOf(foreign)).toMatchObject({ status: 403, code: 'host_not_allowed' });
    const elsewhere = await fetch(`${url}${ENDPOINT}`, { method: 'POST', body: formOf({}) });
    expect(await errorOf(elsewhere)).toMatchObject({ status: 415 });
  });
});
