// Load tests end to end over the real engine with the real model: by the command, and from the console in its own thread.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadTestReport, LoadTestsAnswer, RequestPage } from '../../engine/contract.ts';
import { millrace, MODEL, serve, type Served } from '../served.ts';

let served: Served;
let folder: string;
beforeAll(async () => {
  [served, folder] = await Promise.all([serve(), mkdtemp(join(tmpdir(), 'millrace-loadtest-'))]);
});
afterAll(async () => {
  await served?.stop();
  await rm(folder, { recursive: true });
});

const LENGTHS = ['--model', MODEL, '--prompt-tokens', '60', '--answer-tokens', '4'];

describe('millrace loadtest', () => {
  it('sends what it planned, in the wanted lengths, and keeps the report', async () => {
    const html = join(folder, 'report.html');
    const flags = ['--profile', 'poisson', '--rate', '2', '--factor', '2', '--seconds', '6', ...LENGTHS, '--html', html, '--json'];
    const { stdout, stderr } = await millrace(['loadtest', '--data-dir', served.dataDir, ...flags]);
    const report = JSON.parse(stdout) as LoadTestReport;
    const { requests, asked, promptTokens, completionTokens } = report;
    expect(stderr).toBe('');
    expect(asked).toEqual({
      profile: { kind: 'poisson', model: MODEL, perSecond: 2, promptTokens: 60, answerTokens: 4 },
      factor: 2,
      minutes: 0.1,
      url: null,
      model: MODEL,
    });
    expect(requests.sent).toBe(requests.planned);
    expect(requests.ok).toBe(requests.planned);
    expect(completionTokens).toBe(requests.ok * 4);
    expect(Math.abs(promptTokens / requests.ok / 60 - 1)).toBeLessThan(0.1);
    expect(report.queue).not.toBeNull();
    expect(await readFile(html, 'utf8')).toContain(report.id);
    const rows = (await (await fetch(`${served.url}/api/history/requests?search=${report.id}-r`)).json()) as RequestPage;
    expect(rows.total).toBe(requests.planned);
    expect(new Set(rows.rows.map(({ cache }) => cache))).not.toContain('hit');
  });

  it('has nothing to send again where only load tests were recorded', async () => {
    const { code, stderr } = await millrace(['loadtest', '--data-dir', served.dataDir, '--seconds', '6']);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('No request is recorded') });
  });

  it('asks before another server is sent a load, and never sends one to the internet', async () => {
    const other = await millrace(['loadtest', '--data-dir', folder, '--profile', 'poisson', ...LENGTHS, '--url', 'http://10.255.255.1:1']);
    expect({ code: other.code, stderr: other.stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    const far = await millrace(['loadtest', '--data-dir', folder, '--profile', 'poisson', ...LENGTHS, '--yes', '--url', 'http://8.8.8.8']);
    expect({ code: far.code, stderr: far.stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('on the internet') });
  });
});

describe('a load test from the console', () => {
  const view = async (): Promise<LoadTestsAnswer> => (await fetch(`${served.url}/api/loadtests`)).json() as Promise<LoadTestsAnswer>;
  const start = (body: object): Promise<Response> =>
    fetch(`${served.url}/api/loadtests`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

  it('replays what people asked, and is the evidence of the checklist', async () => {
    const question = { model: MODEL, messages: [{ role: 'user', content: 'Name a river.' }], max_tokens: 4, temperature: 1 };
    const headers = { 'content-type': 'application/json' };
    for (let i = 0; i < 3; i++)
      await (await fetch(`${served.url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(question) })).json();
    // Records are written within a second.
    await expect
      .poll(async () => {
        const { rows } = (await (await fetch(`${served.url}/api/history/requests`)).json()) as RequestPage;
        return rows.filter(({ requestId }) => !requestId.startsWith('loadtest-')).length;
      })
      .toBe(3);
    expect(await (await start({ profile: { kind: 'recorded' }, factor: 2, minutes: 0.1 })).json()).toMatchObject({ state: 'preparing' });
    await expect.poll(async () => (await view()).run?.state, { timeout: 60_000, interval: 100 }).toBe('done');
    const { run, reports } = await view();
    expect(run?.reportId).toBe(reports[0]?.id);
    expect(reports[0]).toMatchObject({ requests: { planned: 3, ok: 3 }, verdict: 'inconclusive' });
    const checklist = (await (await fetch(`${served.url}/api/checklist`)).json()) as { items: { point: string; sentence: string }[] };
    expect(checklist.items.find(({ point }) => point === 'load_test')?.sentence).toContain('fewer than');
  });

  it('is cancelled at once and leaves no report', async () => {
    const before = (await view()).reports.length;
    const profile = { kind: 'poisson', model: MODEL, perSecond: 1, promptTokens: 20, answerTokens: 2 };
    await start({ profile, factor: 1, minutes: 10 });
    await expect.poll(async () => (await view()).run?.sent ?? 0, { timeout: 60_000 }).toBeGreaterThan(0);
    await fetch(`${served.url}/api/loadtests/current`, { method: 'DELETE', headers: { 'content-type': 'application/json' }, body: '{}' });
    expect(await view()).toMatchObject({ run: { state: 'cancelled' } });
    expect((await view()).reports).toHaveLength(before);
  });
});
