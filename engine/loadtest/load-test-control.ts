// Owns the interface through which the console asks for load tests. Types only.
import type { LoadTestReport, LoadTestRequest, LoadTestRun, LoadTestsAnswer } from '../contract.ts';
import type { Door } from './exchange.ts';

export interface LoadTestControl {
  view(): Promise<LoadTestsAnswer>;
  /** `home`: this server, as the caller came. @throws EngineError `invalid_request` while one runs, or for what cannot be tested */
  start(request: LoadTestRequest, home: Door): Promise<LoadTestRun>;
  /** Ends the one that runs; nothing of it is kept. */
  cancel(): void;
  /** @throws EngineError `not_found` */
  read(id: string): Promise<LoadTestReport>;
  /** The report as a page of its own. @throws EngineError `not_found` */
  html(id: string): Promise<string>;
}
