// Load tests that hold one report and note what they are told.
import type { LoadTestReport, LoadTestRequest, LoadTestRun, LoadTestsAnswer } from '../../engine/contract.ts';
import { EngineError } from '../../engine/errors.ts';
import type { LoadTestControl } from '../../engine/loadtest/load-test-control.ts';
import { idleRun } from '../../engine/loadtest/progress.ts';
import { summaryOf } from '../../engine/loadtest/reports.ts';
import { loadTestReport } from '../loadtest/factories.ts';

export class FakeLoadTests implements LoadTestControl {
  readonly started: LoadTestRequest[] = [];
  readonly homes: { readonly url: string; readonly headers: object }[] = [];
  readonly report = loadTestReport();
  #run: LoadTestRun | null = null;

  async view(): Promise<LoadTestsAnswer> {
    return { run: this.#run, reports: [summaryOf(this.report)] };
  }

  async start(request: LoadTestRequest, home: { readonly url: string; readonly headers: Record<string, string> }): Promise<LoadTestRun> {
    this.started.push(request);
    this.homes.push(home);
    const { key: _, ...asked } = request;
    this.#run = idleRun(asked, 1);
    return this.#run;
  }

  cancel(): void {
    if (this.#run !== null) this.#run = { ...this.#run, state: 'cancelled' };
  }

  async read(id: string): Promise<LoadTestReport> {
    if (id !== this.report.id) throw new EngineError('not_found', `There is no load test ${id}.`);
    return this.report;
  }

  async html(id: string): Promise<string> {
    return `<p>${(await this.read(id)).sentence}</p>`;
  }
}
