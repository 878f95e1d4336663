// Owns the load test that runs, one at a time, and the last one's end; each runs in a thread of its own.
import { totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { LoadTestReport, LoadTestRequest, LoadTestRun, LoadTestsAnswer } from '../contract.ts';
import { EngineError } from '../errors.ts';
import { checkRequest } from './check-request.ts';
import type { Door } from './exchange.ts';
import type { LoadTestControl } from './load-test-control.ts';
import { idleRun } from './progress.ts';
import { reportHtml } from './report-html.ts';
import type { LoadTestReports } from './reports.ts';

/** What the thread is given. */
export interface LoadTestWork {
  readonly request: LoadTestRequest;
  readonly home: Door;
  readonly version: string;
  readonly memoryBytes: number;
}

/** What it tells. */
export type LoadTestMessage =
  | { readonly kind: 'progress'; readonly run: LoadTestRun }
  | { readonly kind: 'done'; readonly report: LoadTestReport }
  | { readonly kind: 'failed'; readonly reason: string };

/** A thread, or what stands for it in a test. */
export interface LoadTestThread {
  on(event: 'message', listener: (message: LoadTestMessage) => void): unknown;
  on(event: 'error', listener: (cause: Error) => void): unknown;
  terminate(): Promise<unknown>;
}

export interface LoadTestsOptions {
  readonly reports: LoadTestReports;
  readonly version: string;
  readonly log: { error(facts: object, message: string): void };
  readonly now: () => number;
  /** For tests: how the thread is started. */
  readonly startThread?: (work: LoadTestWork) => LoadTestThread;
}

const WORKER = new URL('./load-test-worker.ts', import.meta.url);

export class LoadTests implements LoadTestControl {
  readonly #options: LoadTestsOptions;
  #run: LoadTestRun | null = null;
  #thread: LoadTestThread | null = null;

  constructor(options: LoadTestsOptions) {
    this.#options = options;
  }

  async view(): Promise<LoadTestsAnswer> {
    return { run: this.#run, reports: await this.#options.reports.list() };
  }

  async start(request: LoadTestRequest, home: Door): Promise<LoadTestRun> {
    const checked = await checkRequest(request, { public: false });
    if (this.#thread !== null) throw new EngineError('invalid_request', 'A load test runs already.', { param: 'profile' });
    const { key: _, ...asked } = checked;
    const { version, now, startThread = (work) => new Worker(WORKER, { workerData: work }) } = this.#options;
    const run = idleRun(asked, now());
    const thread = startThread({ request: checked, home, version, memoryBytes: totalmem() });
    this.#run = run;
    this.#thread = thread;
    thread.on('message', (message) => this.#take(thread, message));
    thread.on('error', (cause) => this.#fail(thread, cause.message));
    return run;
  }

  cancel(): void {
    if (this.#thread !== null) this.#end(this.#thread, { state: 'cancelled', step: 'Cancelled', reason: null });
  }

  read(id: string): Promise<LoadTestReport> {
    return this.#options.reports.read(id);
  }

  async html(id: string): Promise<string> {
    return reportHtml(await this.read(id));
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #take(thread: LoadTestThread, message: LoadTestMessage): void {
    // What a thread tells after it was cancelled is about nothing any more.
    if (thread !== this.#thread) return;
    if (message.kind === 'progress') this.#run = message.run;
    else if (message.kind === 'failed') this.#fail(thread, message.reason);
    else void this.#keep(thread, message.report);
  }

  async #keep(thread: LoadTestThread, report: LoadTestReport): Promise<void> {
    try {
      await this.#options.reports.save(report);
      this.#end(thread, { state: 'done', step: 'Done', reportId: report.id });
    } catch (err) {
      this.#options.log.error({ err }, 'the report of a load test cannot be kept');
      this.#fail(thread, `The report cannot be kept: ${err instanceof Error ? err.message : String(err)}`);
    }
  }

  #fail(thread: LoadTestThread, reason: string): void {
    this.#end(thread, { state: 'failed', step: 'Failed', reason });
  }

  #end(thread: LoadTestThread, last: Partial<LoadTestRun>): void {
    if (thread !== this.#thread) return;
    if (this.#run !== null) this.#run = { ...this.#run, etaMs: null, ...last };
    this.#thread = null;
    void thread.terminate();
  }
}
