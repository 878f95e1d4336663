// The page over the real gateway, with a fleet, jobs and a ledger that are honest stand-ins, opened in a real browser.
// Knows nothing about any one screen.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { pino } from 'pino';
import type { DeviceNow, JobStatus, ModelSlo } from '../../engine/contract.ts';
import { EngineError } from '../../engine/errors.ts';
import type { ModelControl, Removal } from '../../engine/fleet/control.ts';
import type { HostedModel, ModelState } from '../../engine/fleet/host.ts';
import { createGateway, type Gateway } from '../../engine/gateway/gateway.ts';
import type { KnownModel } from '../../engine/gateway/console/services.ts';
import type { JobControl, PullRequest } from '../../engine/jobs/job-control.ts';
import { FakeHost, type FakeHostOptions } from '../fakes/host.ts';
import { FakeLab } from '../fakes/lab.ts';
import { FakeLedger } from '../fakes/ledger.ts';
import { aDevice } from './factories.ts';

const INSTALLED: ModelState = { kind: 'installed' };
/** What every token costs here. */
export const TOKEN_USD = 0.000_01;

/** Models that can be loaded, unloaded, pinned and removed; a state that a test sets stays. */
export class FakeFleet extends FakeHost implements ModelControl {
  readonly states = new Map<string, ModelState>();
  readonly removed = new Set<string>();
  #pinned: ReadonlySet<string> = new Set();

  override list(): readonly HostedModel[] {
    const there = super.list().filter(({ manifest }) => !this.removed.has(manifest.id));
    return there.map((model) => ({
      ...model,
      state: this.states.get(model.manifest.id) ?? model.state,
      pinned: this.#pinned.has(model.manifest.id),
    }));
  }

  async preload(model: string): Promise<ModelState> {
    this.states.delete(model);
    return this.get(model)?.state ?? INSTALLED;
  }

  async unload(model: string): Promise<void> {
    this.states.set(model, INSTALLED);
  }

  setPinned(ids: readonly string[]): void {
    this.#pinned = new Set(ids);
  }

  setIdleUnload(): void {}

  keepAlive(): void {}

  async remove(model: string): Promise<Removal> {
    this.removed.add(model);
    return { restorableUntilMs: Date.now() + 10_000 };
  }

  async refresh(): Promise<void> {}

  async restore(model: string): Promise<void> {
    if (!this.removed.delete(model)) throw new EngineError('model_not_found', `${model} is gone.`);
  }
}

const JOB: JobStatus = {
  id: 'job-1',
  kind: 'pull',
  title: 'alpha',
  state: 'running',
  step: 'downloading',
  done: 40e6,
  total: 100e6,
  unit: 'bytes',
  rate: 8e6,
  etaMs: 7_500,
  startedMs: 1,
  endedMs: null,
  result: null,
};

/** Jobs that stand still, until the test moves them. */
export class FakeJobs implements JobControl {
  readonly pulls: PullRequest[] = [];
  jobs: readonly JobStatus[] = [];
  /** Thrown by the next pull. */
  refusal: EngineError | null = null;

  list(): readonly JobStatus[] {
    return this.jobs;
  }

  pull(request: PullRequest): JobStatus {
    if (this.refusal !== null) throw this.refusal;
    this.pulls.push(request);
    const job = { ...JOB, id: `job-${this.pulls.length}`, title: request.name };
    this.jobs = [...this.jobs, job];
    return job;
  }

  pause = (id: string): JobStatus => this.change(id, { state: 'paused' });
  resume = (id: string): JobStatus => this.change(id, { state: 'running' });

  cancel(id: string): JobStatus {
    const job = this.#find(id);
    if (job.endedMs === null) return this.change(id, { state: 'cancelled', endedMs: Date.now(), result: 'Cancelled.' });
    this.jobs = this.jobs.filter((each) => each !== job);
    return job;
  }

  change(id: string, change: Partial<JobStatus>): JobStatus {
    const changed = { ...this.#find(id), ...change };
    this.jobs = this.jobs.map((job) => (job.id === id ? changed : job));
    return changed;
  }

  #find(id: string): JobStatus {
    const job = this.jobs.find((each) => each.id === id);
    if (job === undefined) throw new EngineError('not_found', `No job ${id}.`);
    return job;
  }
}

/** No objectives at all. */
const noSlo = (model: string): ModelSlo => ({
  model,
  slo: { ttftMs: null, interTokenMs: null, totalMs: null },
  source: 'fallback',
  calibrated: null,
});

export interface FakeEngineOptions extends FakeHostOptions {
  readonly catalogue?: readonly KnownModel[];
  readonly devices?: readonly DeviceNow[];
}

export interface FakeEngine {
  readonly fleet: FakeFleet;
  readonly jobs: FakeJobs;
  readonly lab: FakeLab;
  readonly ledger: FakeLedger;
  readonly gateway: Gateway;
  readonly url: string;
}

/** `pageDir`: the built page. */
export async function startEngine(pageDir: string, options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const fleet = new FakeFleet(options);
  const jobs = new FakeJobs();
  const lab = new FakeLab('fake');
  const ledger = new FakeLedger();
  ledger.onSettings(({ pinnedModels }) => fleet.setPinned(pinnedModels));
  const cost = {
    requests: 0,
    perRequestUsd: null,
    busyUsd: 0,
    idleUsd: 0,
    upstreamUsd: 0,
    premiumUsd: 0,
    savedShare: null,
    measured: false,
  };
  const gateway = await createGateway({
    host: fleet,
    config: { host: '127.0.0.1', port: 0, version: '1.2.3', pageDir },
    log: pino({ level: 'silent' }),
    onRecord: (record) => ledger.record({ ...record, energyUsd: record.completionTokens * TOKEN_USD }),
    console: async () => ({
      ledger,
      jobs,
      models: fleet,
      lab,
      variants: lab,
      alerts: { active: () => [], snooze: () => false, testWebhook: async () => null, sloOf: noSlo },
      metrics: { render: async () => ({ contentType: 'text/plain', body: '' }) },
      devices: () => options.devices ?? [aDevice()],
      cost: () => cost,
      catalogue: () => options.catalogue ?? [],
    }),
  });
  const { url } = await gateway.listen();
  return { fleet, jobs, lab, ledger, gateway, url };
}

export interface Visit {
  readonly page: Page;
  /** Errors of the page, requests to others, and breaches of its content policy. */
  readonly faults: readonly string[];
}

/** A page in a profile of its own at `url`. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !request.url().startsWith('blob:'))
      faults.push(`foreign request: ${request.url()}`);
  });
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}
