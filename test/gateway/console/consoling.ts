// A gateway with its console: an in-memory ledger, and models, jobs and alerts that note what they are told.
import type { ActiveAlert, JobStatus, Slo } from '../../../engine/contract.ts';
import { EngineError } from '../../../engine/errors.ts';
import type { ModelControl } from '../../../engine/fleet/control.ts';
import type { AlertControl, ConsoleServices } from '../../../engine/gateway/console/services.ts';
import type { JobControl } from '../../../engine/jobs/job-control.ts';
import type { FakeHostOptions } from '../../fakes/host.ts';
import { FakeLab } from '../../fakes/lab.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { serving, type Serving } from '../serving.ts';

export interface Consoling extends Serving {
  readonly ledger: FakeLedger;
  /** What models were told, in order: `unload mill`. */
  readonly told: string[];
  /** Any request of the console, with the media type it wants. */
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>;
}

export const JOB: JobStatus = {
  id: 'job-1',
  kind: 'pull',
  title: 'mill-2b',
  state: 'running',
  step: 'downloading',
  done: 10,
  total: 100,
  unit: 'bytes',
  rate: null,
  etaMs: null,
  startedMs: 5,
  endedMs: null,
  result: null,
};

export const ALERT: ActiveAlert = {
  id: 'queue:mill',
  ruleId: 'queue',
  name: 'Long queue',
  subject: 'mill',
  sinceMs: 7,
  value: 120,
  threshold: 100,
  sentence: '120 requests wait.',
  remedy: 'Add slots.',
  snoozedUntilMs: null,
};

export const SLO: Slo = { ttftMs: 300, interTokenMs: 50, totalMs: null };

export async function consoling(options: FakeHostOptions = {}, changes: Partial<ConsoleServices> = {}): Promise<Consoling> {
  const ledger = new FakeLedger();
  const told: string[] = [];
  const services = { ...fakeServices(ledger, told), ...changes };
  const served = await serving(options, {}, (host) => host, { console: async () => services, onRecord: (record) => ledger.record(record) });
  const call: Consoling['call'] = (method, path, body, headers = {}) =>
    fetch(served.url + path, {
      method,
      headers: { ...(method === 'GET' ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return { ...served, ledger, told, call };
}

/** What a console works with; `told` notes what models and jobs are told. */
export function fakeServices(ledger: FakeLedger, told: string[]): ConsoleServices {
  const lab = new FakeLab('fake');
  return {
    ledger,
    models: fakeModels(told),
    lab,
    variants: lab,
    jobs: fakeJobs(told),
    alerts: fakeAlerts(told),
    metrics: { render: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'millrace_up 1\n' }) },
    devices: () => [],
    cost: () => ({
      requests: 0,
      perRequestUsd: null,
      busyUsd: 0,
      idleUsd: 0,
      upstreamUsd: 0,
      premiumUsd: 0,
      savedShare: null,
      measured: false,
    }),
    catalogue: () => [
      {
        id: 'mill-2b',
        title: 'Mill 2B',
        use: 'text',
        parameterCount: 2e9,
        sizeBytes: 2.4e9,
        memoryBytes: 3e9,
        fit: 'tight',
        licence: 'mit',
        contextLength: 4096,
      },
    ],
  };
}

function fakeModels(told: string[]): ModelControl {
  return {
    preload: async (model) => {
      told.push(`load ${model}`);
      return { kind: 'installed' };
    },
    unload: async (model) => void told.push(`unload ${model}`),
    setPinned: (ids) => void told.push(`pinned ${ids.join()}`),
    setIdleUnload: (minutes) => void told.push(`idle ${minutes}`),
    keepAlive: (model, afterMs) => void told.push(`keep ${model} ${afterMs}`),
    remove: async (model) => {
      told.push(`remove ${model}`);
      return { restorableUntilMs: 10_000 };
    },
    restore: async (model) => {
      if (model !== 'fake') throw new EngineError('model_not_found', `${model} cannot be restored any more.`, { param: 'model' });
      told.push(`restore ${model}`);
    },
    refresh: async () => undefined,
  };
}

function fakeJobs(told: string[]): JobControl {
  const one = (word: string) => (id: string) => {
    if (id !== JOB.id) throw new EngineError('not_found', `There is no job ${id}.`, { param: 'id' });
    told.push(`${word} ${id}`);
    return JOB;
  };
  return {
    list: () => [JOB],
    pull: ({ name, precision }) => {
      told.push(`pull ${name} ${precision}`);
      return { ...JOB, title: name };
    },
    pause: one('pause'),
    resume: one('resume'),
    cancel: one('cancel'),
  };
}

function fakeAlerts(told: string[]): AlertControl {
  return {
    active: () => [ALERT],
    snooze: (id, untilMs) => {
      told.push(`snooze ${id} ${untilMs === null ? 'off' : 'on'}`);
      return id === ALERT.id;
    },
    testWebhook: async () => null,
    sloOf: (model) => ({ model, slo: SLO, source: 'calibration', calibrated: SLO }),
  };
}
