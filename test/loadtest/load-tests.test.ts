// One load test at a time: its progress, its end in each way, and that a cancelled one leaves nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoadTestRequest } from '../../engine/contract.ts';
import { LoadTests, type LoadTestMessage, type LoadTestThread, type LoadTestWork } from '../../engine/loadtest/load-tests.ts';
import { LoadTestReports } from '../../engine/loadtest/reports.ts';
import { loadTestReport } from './factories.ts';

class FakeThread implements LoadTestThread {
  terminated = false;
  readonly work: LoadTestWork;
  #onMessage: (message: LoadTestMessage) => void = () => undefined;
  #onError: (cause: Error) => void = () => undefined;

  constructor(work: LoadTestWork) {
    this.work = work;
  }

  on(event: 'message' | 'error', listener: ((message: LoadTestMessage) => void) & ((cause: Error) => void)): void {
    if (event === 'message') this.#onMessage = listener;
    else this.#onError = listener;
  }

  tell(message: LoadTestMessage): void {
    this.#onMessage(message);
  }

  break(cause: Error): void {
    this.#onError(cause);
  }

  async terminate(): Promise<void> {
    this.terminated = true;
  }
}

const REQUEST: LoadTestRequest = { profile: { kind: 'recorded' }, factor: 2, minutes: 5, url: null, model: null, key: 'secret' };
const HOME = { url: 'http://127.0.0.1:1', headers: { cookie: 'c' } };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-loadtests-'));
});
afterEach(() => rm(folder, { recursive: true }));

function started() {
  const threads: FakeThread[] = [];
  const startThread = (work: LoadTestWork): FakeThread => {
    const thread = new FakeThread(work);
    threads.push(thread);
    return thread;
  };
  const reports = new LoadTestReports(folder);
  const tests = new LoadTests({ reports, version: '1.2.3', log: pino({ level: 'silent' }), now: () => 7, startThread });
  return { tests, threads, reports };
}

describe('LoadTests', () => {
  it('runs one at a time, keeps its report and tells no key', async () => {
    const { tests, threads } = started();
    const run = await tests.start(REQUEST, HOME);
    expect(JSON.stringify(await tests.view())).not.toContain('secret');
    expect(threads[0]?.work).toMatchObject({ request: REQUEST, home: HOME, version: '1.2.3' });
    await expect(tests.start(REQUEST, HOME)).rejects.toThrow('runs already');
    threads[0]?.tell({ kind: 'progress', run: { ...run, state: 'sending', sent: 3 } });
    expect((await tests.view()).run).toMatchObject({ state: 'sending', sent: 3 });
    const report = loadTestReport();
    threads[0]?.tell({ kind: 'done', report });
    await expect.poll(async () => (await tests.view()).run).toMatchObject({ state: 'done', reportId: report.id });
    expect((await tests.view()).reports.map(({ id }) => id)).toEqual([report.id]);
    expect(await tests.html(report.id)).toContain(report.sentence);
    expect(threads[0]?.terminated).toBe(true);
    await tests.start(REQUEST, HOME);
    expect(threads).toHaveLength(2);
  });

  it('keeps nothing of a cancelled one, whatever its thread says after', async () => {
    const { tests, threads } = started();
    await tests.start(REQUEST, HOME);
    tests.cancel();
    threads[0]?.tell({ kind: 'done', report: loadTestReport() });
    expect(await tests.view()).toMatchObject({ run: { state: 'cancelled' }, reports: [] });
    expect(threads[0]?.terminated).toBe(true);
  });

  it('tells why one failed, also when its thread broke', async () => {
    const { tests, threads } = started();
    await tests.start(REQUEST, HOME);
    threads[0]?.tell({ kind: 'failed', reason: 'Nothing is recorded.' });
    expect((await tests.view()).run).toMatchObject({ state: 'failed', reason: 'Nothing is recorded.' });
    await tests.start(REQUEST, HOME);
    threads[1]?.break(new Error('out of memory'));
    expect((await tests.view()).run).toMatchObject({ state: 'failed', reason: 'out of memory' });
  });

  it('sends no load to the internet', async () => {
    const { tests, threads } = started();
    await expect(tests.start({ ...REQUEST, url: 'http://8.8.8.8' }, HOME)).rejects.toThrow('on the internet');
    expect(threads).toEqual([]);
  });
});
