// The books are opened when somebody first asks for them; a fault while opening is that moment's, not the whole run's.
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Bookkeeping } from '../../engine/bookkeeping/bookkeeping.ts';
import type { Books, OpenBooksOptions } from '../../engine/bookkeeping/open-books.ts';
import type { ChecklistControl } from '../../engine/checklist/checklist-control.ts';
import type { BatchControl } from '../../engine/jobs/batches/batch-control.ts';
import type { RequestRecord } from '../../engine/ledger/ledger.ts';
import { FakeFleet, FakeJobs } from '../renderer/engine.ts';
import { FakeLoadTests } from '../fakes/load-tests.ts';
import { FakeLab } from '../fakes/lab.ts';
import { FakeLedger } from '../fakes/ledger.ts';
import { FakeRows } from '../fakes/rows.ts';
import { aRequest } from '../ledger/store/records.ts';

/** Nobody asks for them here. */
const noChecklist = new Proxy({} as ChecklistControl, { get: (_, name) => expect.fail(`${String(name)} of the checklist is asked for`) });
const noBatches = new Proxy({} as BatchControl, { get: (_, name) => expect.fail(`${String(name)} of batches is asked for`) });

interface Opening {
  readonly attempts: number;
  readonly taken: readonly RequestRecord[];
  readonly books: Bookkeeping;
}

/** Books whose first `faults` openings fail. */
function opening(faults: number): Opening {
  const taken: RequestRecord[] = [];
  let attempts = 0;
  const openBooks = async ({ models }: OpenBooksOptions): Promise<Books> => {
    if (++attempts <= faults) throw new Error('The disk does not answer.');
    const alerts = { active: () => [], snooze: () => false, testWebhook: async () => null, sloOf: () => expect.fail('not asked') };
    const lab = new FakeLab('fake');
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
    return {
      services: {
        ledger: new FakeLedger(),
        jobs: new FakeJobs(),
        lab,
        variants: lab,
        models,
        alerts,
        metrics: { render: async () => ({ contentType: 'text/plain', body: '' }) },
        devices: () => [],
        cost: () => cost,
        catalogue: () => [],
      },
      batches: noBatches,
      checklist: noChecklist,
      loadTests: new FakeLoadTests(),
      take: (record) => taken.push(record),
      close: async () => undefined,
    };
  };
  const books = new Bookkeeping({
    dataDir: '/nowhere',
    version: '1.2.3',
    log: pino({ level: 'silent' }),
    models: new FakeFleet(),
    onSettings: () => undefined,
    notify: null,
    spawnPull: null,
    openBooks,
  });
  books.serves({ readModels: () => [], sampleModels: () => [], rows: new FakeRows() });
  return {
    get attempts() {
      return attempts;
    },
    taken,
    books,
  };
}

describe('Bookkeeping', () => {
  it('opens once for all who ask at the same time, and takes what ended before', async () => {
    const open = opening(0);
    open.books.record(aRequest({ requestId: 'early' }));
    const [first, second] = await Promise.all([open.books.services(), open.books.services(), open.books.open()]);
    expect(first).toBe(second);
    expect(open.attempts).toBe(1);
    open.books.record(aRequest({ requestId: 'late' }));
    expect(open.taken.map(({ requestId }) => requestId)).toEqual(['early', 'late']);
  });

  it('says what is the case when they cannot be opened, tries again for the next, and loses no record', async () => {
    const open = opening(2);
    await open.books.open();
    open.books.record(aRequest({ requestId: 'held' }));
    await expect(open.books.services()).rejects.toMatchObject({ code: 'history_unavailable' });
    expect(open.taken).toEqual([]);
    await open.books.services();
    expect(open.attempts).toBe(3);
    expect(open.taken.map(({ requestId }) => requestId)).toEqual(['held']);
  });
});
