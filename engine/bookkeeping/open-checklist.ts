// Connects the checklist and its drill with what they look at: the books, the router, the models' processes.
import { join } from 'node:path';
import { Checklist } from '../checklist/checklist.ts';
import { Drills } from '../checklist/drill/drills.ts';
import { probe } from '../checklist/drill/probe.ts';
import type { Faults } from '../checklist/drill/run-drill.ts';
import type { Batches } from '../jobs/batches/batches.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ChecklistControl, ProbeDoor } from '../checklist/checklist-control.ts';
import type { LoadTestControl } from '../loadtest/load-test-control.ts';
import type { LoadTestReports } from '../loadtest/reports.ts';
import type { RouterControl } from '../routing/router-control.ts';
import type { BookkeepingOptions, ServedModels } from './bookkeeping.ts';

export interface OpenChecklistOptions extends Pick<BookkeepingOptions, 'dataDir' | 'log' | 'router' | 'queueLimit'> {
  readonly ledger: Ledger;
  readonly batches: Batches;
  readonly served: ServedModels;
  readonly reports: LoadTestReports;
  readonly loadTests: LoadTestControl;
}

const UNLIMITED_QUEUE = 512;

export function openChecklist(options: OpenChecklistOptions): ChecklistControl {
  const { dataDir, log, ledger, batches, served, router } = options;
  const drills = new Drills({
    file: join(dataDir, 'drills.json'),
    log,
    models: () => served.readModels(),
    foreground: () => served.rows.foreground,
    faults: faultsOf(options),
    probe,
    now: Date.now,
    clock: () => performance.now(),
  });
  const sources = {
    ledger,
    models: () => served.readModels(),
    router: router === undefined ? null : () => router.now(),
    batches,
    loadTest: () => lastLoadTest(options.reports),
    variants: async () => [],
  };
  return new Checklist({ sources, ledger, drills, startLoadTest: (door) => startAtTwicePeak(options.loadTests, door), now: Date.now });
}

/** An inconclusive test is no pass. */
async function lastLoadTest(reports: LoadTestReports) {
  const last = await reports.last(2);
  return last === null ? null : { endedMs: last.endedMs, passed: last.verdict === 'passed', verdict: last.sentence };
}

const MENDING_MINUTES = 5;

async function startAtTwicePeak(loadTests: LoadTestControl, door: ProbeDoor): Promise<void> {
  const request = { profile: { kind: 'recorded' }, factor: 2, minutes: MENDING_MINUTES, url: null, model: null, key: null } as const;
  await loadTests.start(request, door);
}

function faultsOf({ served, router, queueLimit = UNLIMITED_QUEUE }: OpenChecklistOptions): Faults {
  return {
    queueLimit,
    killRunner: (model) => {
      const pid = served.readModels().find(({ id }) => id === model)?.running?.pid ?? null;
      return pid !== null && pid !== process.pid && process.kill(pid, 'SIGKILL');
    },
    upstream: () => (router === undefined ? null : routedUpstream(router)),
    cutUpstream: (name) => router?.cutUpstream(name) ?? (() => undefined),
  };
}

function routedUpstream(router: RouterControl): ReturnType<Faults['upstream']> {
  const target = router.now().targets.find(({ origin, excluded }) => origin === 'upstream' && excluded === null);
  if (target === undefined) return null;
  return { name: target.target.split('/')[0] ?? target.target, model: `auto:${target.tier}` };
}
