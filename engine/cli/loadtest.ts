// `millrace loadtest`: a load test of the running server, or of another one, on the terminal.
import { writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { createInterface } from 'node:readline/promises';
import type { LoadTestReport, LoadTestRequest, LoadTestRun } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { engineLockPath, lockOwner } from '../instance-lock.ts';
import { checkRequest } from '../loadtest/check-request.ts';
import type { Door } from '../loadtest/exchange.ts';
import { reportHtml } from '../loadtest/report-html.ts';
import { reportText } from '../loadtest/report-text.ts';
import { LoadTestReports } from '../loadtest/reports.ts';
import { runLoadTest } from '../loadtest/run.ts';
import { engineVersion } from '../main.ts';
import { EXIT } from './exit-codes.ts';

export interface LoadTestFlags {
  readonly json: boolean;
  /** Where the report is written as a page; null: nowhere. */
  readonly html: string | null;
  readonly yes: boolean;
  readonly public: boolean;
}

/** Prints the report, which is kept too; the code is 1 unless it passed. @throws EngineError of the test */
export async function loadTest(dataDir: string, wish: LoadTestRequest, flags: LoadTestFlags): Promise<number> {
  const request = await checkRequest(wish, { public: flags.public });
  if (request.url !== null && !flags.yes) await askWhetherOwn(request.url);
  const reports = new LoadTestReports(dataDir, (path) => process.stderr.write(`${path} cannot be read.\n`));
  const before = (await reports.list()).find(({ asked }) => asked.factor === request.factor && asked.url === request.url) ?? null;
  const report = await run(request, homeOf(dataDir, request.key));
  await reports.save(report);
  if (flags.html !== null) await writeFile(flags.html, reportHtml(report));
  process.stdout.write(`${flags.json ? JSON.stringify(report, null, 2) : reportText(report, before)}\n`);
  return report.verdict === 'passed' ? EXIT.ok : EXIT.failed;
}

async function run(request: LoadTestRequest, home: Door | null): Promise<LoadTestReport> {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort(new DOMException('The load test was interrupted; it is not kept.', 'AbortError'));
  process.once('SIGINT', stop);
  const isShown = process.stderr.isTTY;
  try {
    return await runLoadTest({
      request,
      home,
      version: engineVersion(),
      signal: stopped.signal,
      memoryBytes: totalmem(),
      onProgress: (now) => isShown && process.stderr.write(`\r\u001b[K${progressLine(now)}`),
    });
  } finally {
    process.off('SIGINT', stop);
    if (isShown) process.stderr.write('\r\u001b[K');
  }
}

function progressLine({ step, planned, sent, answered, failed, etaMs }: LoadTestRun): string {
  if (planned === 0) return step;
  const left = etaMs === null ? '' : `, ${Math.ceil(etaMs / 1_000)} s left`;
  return `${step}: ${sent} sent, ${answered} answered, ${failed} failed${left}`;
}

function homeOf(dataDir: string, key: string | null): Door | null {
  const url = lockOwner(engineLockPath(dataDir))?.address ?? null;
  return url === null ? null : { url, headers: key === null ? {} : { authorization: `Bearer ${key}` } };
}

/** @throws EngineError `invalid_request` where nobody can be asked, or the answer is no */
async function askWhetherOwn(url: string): Promise<void> {
  const refusal = new EngineError('invalid_request', `${url} is sent no load before somebody agrees: --yes`, { param: 'url' });
  if (!process.stdin.isTTY) throw refusal;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`Send a load to ${url}? It may slow down everybody who uses it. [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw refusal;
}
