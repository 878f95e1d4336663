// Opens the books and connects them: who hears of a finished request, of a sample, of a changed setting.
// Its imports are loaded when the server listens already.
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { CostSettings } from '../contract.ts';
import type { ConsoleServices, KnownModel } from '../gateway/console/services.ts';
import { Variants } from '../fleet/variants.ts';
import type { ChecklistControl } from '../checklist/checklist-control.ts';
import type { BatchControl } from '../jobs/batches/batch-control.ts';
import { Jobs } from '../jobs/jobs.ts';
import { pullSpawner } from '../jobs/pull-process.ts';
import { AlertWatch } from '../ledger/alerts/alert-watch.ts';
import { LastDay } from '../ledger/cost/last-day.ts';
import type { CostMeter } from '../ledger/cost/meter.ts';
import { createDeviceReader } from '../ledger/devices/reader.ts';
import type { Ledger, RequestRecord } from '../ledger/ledger.ts';
import { createMetrics } from '../ledger/metrics/metrics.ts';
import { Sampler } from '../ledger/sampler.ts';
import { openLedger } from '../ledger/sqlite-ledger.ts';
import type { LoadTestControl } from '../loadtest/load-test-control.ts';
import { LoadTests } from '../loadtest/load-tests.ts';
import { LoadTestReports } from '../loadtest/reports.ts';
import { CATALOGUE, installedBytes, memoryFit, runningBytes } from '../models/sources/catalogue.ts';
import { ModelStore } from '../models/store/model-store.ts';
import type { BookkeepingOptions, ServedModels } from './bookkeeping.ts';
import { openChecklist } from './open-checklist.ts';
import { isRow, startBatches } from './start-batches.ts';
import { followSettings } from './follow-settings.ts';

export interface OpenBooksOptions extends BookkeepingOptions {
  readonly meter: CostMeter;
  readonly served: ServedModels;
  readonly onPrices: (prices: CostSettings) => void;
  /** When this run began, ms since 1970: no request ended before. */
  readonly startedMs: number;
}

export interface Books {
  readonly services: ConsoleServices;
  readonly batches: BatchControl;
  readonly checklist: ChecklistControl;
  readonly loadTests: LoadTestControl;
  /** A finished request. */
  readonly take: (record: RequestRecord) => void;
  /** Writes what is held, and ends what runs. */
  readonly close: () => Promise<void>;
}

export async function openBooks(options: OpenBooksOptions): Promise<Books> {
  const { dataDir, log } = options;
  const ledger = await openLedger({ path: join(dataDir, 'history.db'), log, now: Date.now });
  try {
    return await openOn(ledger, options);
  } catch (cause) {
    // Whoever tries again opens the same files.
    await ledger.close();
    throw cause;
  }
}

async function openOn(ledger: Ledger, options: OpenBooksOptions): Promise<Books> {
  const { dataDir, log, spawnPull } = options;
  const jobs = new Jobs({ file: join(dataDir, 'jobs.json'), spawn: spawnPull ?? pullSpawner(dataDir), log });
  await jobs.open();
  const variants = new Variants(new ModelStore(dataDir), options.models);
  const meters = startMeters(options, ledger);
  const stopFollowing = followSettings(ledger, options);
  for (const id of ledger.settings.pinnedModels) void loadPinned(id, options);
  const { alerts, metrics, cost, devices } = meters;
  const { batches, ...rows } = startBatches({ dataDir, log, rows: options.served.rows, ledger, devices });
  const reports = new LoadTestReports(dataDir, (path, err) => log.warn({ err, path }, 'a report of a load test cannot be read'));
  const loadTests = new LoadTests({ reports, version: options.version, log, now: Date.now });
  return {
    batches,
    checklist: openChecklist({ ...options, ledger, batches, reports, loadTests }),
    loadTests,
    services: {
      ledger,
      jobs,
      lab: jobs,
      variants,
      models: options.models,
      alerts,
      metrics,
      cost,
      devices,
      catalogue: () => CATALOGUE.map(catalogueModel),
    },
    take: (record) => {
      meters.take(record);
      tell(rows.take, record, log);
    },
    close: async () => {
      stopFollowing();
      await rows.close();
      await Promise.all([meters.close(), jobs.close(), loadTests.close()]);
      await ledger.close();
    },
  };
}

/** A pinned model is loaded from the start on; one that is not installed any more, or does not fit, keeps nobody else from serving. */
async function loadPinned(id: string, { models, log }: OpenBooksOptions): Promise<void> {
  try {
    const state = await models.preload(id);
    if (state.kind === 'failed') log.warn({ model: id, reason: state.reason }, 'a pinned model is not loaded');
  } catch (err) {
    log.warn({ err, model: id }, 'a pinned model is not loaded');
  }
}

/** What hears of each finished request and of each second. */
function startMeters(options: OpenBooksOptions, ledger: Ledger) {
  const { version, log, notify, served, meter, router } = options;
  const alerts = new AlertWatch({ ledger, log, notify, ...(router && { stated: () => router.alerts() }) });
  const metrics = createMetrics({ version, models: () => served.readModels(), alerts: () => alerts.active() });
  const day = new LastDay();
  const reader = createDeviceReader({ log, estimate: () => ledger.settings.cost });
  const sampler = new Sampler({ reader, readModels: () => served.sampleModels(), meter, ledger, log });
  sampler.onSample((sample) => day.sample(sample));
  sampler.onSample((sample) => metrics.observeSample(sample));
  sampler.onSample((sample) => alerts.observeSample(sample));
  sampler.start();
  const past = readPast(options, { ledger, day, alerts });
  const sinks = [
    (record: RequestRecord) => ledger.record(record),
    (record: RequestRecord) => metrics.observeRequest(record),
    // Objectives are for those who wait for an answer.
    (record: RequestRecord) => (isRow(record) ? undefined : alerts.observeRequest(record)),
    (record: RequestRecord) => day.record(record),
  ];
  return {
    alerts,
    metrics,
    devices: () => sampler.devices,
    cost: () =>
      day.now(Date.now(), sampler.devices.length > 0 && sampler.devices.every(({ powerWatts }) => powerWatts.source === 'measured')),
    take: (record: RequestRecord) => {
      for (const sink of sinks) tell(sink, record, log);
    },
    close: async () => {
      sampler.stop();
      reader.close();
      await past.stop();
      await alerts.close();
    },
  };
}

/** What the last runs left, read beside serving; `stop` ends it early. */
function readPast({ log, startedMs }: OpenBooksOptions, books: { ledger: Ledger; day: LastDay; alerts: AlertWatch }) {
  const { ledger, day, alerts } = books;
  const stopped = new AbortController();
  const costs: Ledger['costs'] = async (range, by) => {
    stopped.signal.throwIfAborted();
    return ledger.costs(range, by);
  };
  const warn = (what: string) => (err: unknown) => {
    if (!stopped.signal.aborted) log.warn({ err }, what);
  };
  const reading = Promise.all([
    // What ended since the start is counted as it ends.
    day.restore({ costs }, startedMs).catch(warn('the cost of the last day is not known whole')),
    alerts.settleHistory(Date.now()).catch(warn('alerts of the last run are left open')),
  ]);
  return {
    stop: async () => {
      stopped.abort();
      await reading;
    },
  };
}

/** One listener's fault is not the others', and none is the request's. */
function tell(sink: (record: RequestRecord) => void, record: RequestRecord, log: OpenBooksOptions['log']): void {
  try {
    sink(record);
  } catch (err) {
    log.error({ err, request: record.requestId }, 'a finished request was not noted everywhere');
  }
}

function catalogueModel({ id, title, use, millions, licence, contextLength }: (typeof CATALOGUE)[number]): KnownModel {
  const sizeBytes = installedBytes(millions);
  const memoryBytes = runningBytes(sizeBytes);
  const fit = memoryFit(memoryBytes, {
    free: process.availableMemory(),
    total: Math.min(process.constrainedMemory() || Infinity, totalmem()),
  });
  return { id, title, use, parameterCount: Math.round(millions * 1e6), sizeBytes, memoryBytes, fit, licence, contextLength };
}
