// Pulls as real processes, of a tiny model's folder and of a large file that takes its time: result, pause, end.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../engine/log.ts';
import { Jobs } from '../../engine/jobs/jobs.ts';
import type { PullOutcome, PullProgress } from '../../engine/jobs/pull-lines.ts';
import { pullSpawner, type PullProcess } from '../../engine/jobs/pull-process.ts';
import { ModelStore } from '../../engine/models/store/model-store.ts';
import { testModel } from '../models.ts';

const TINY = join(import.meta.dirname, '..', 'fixtures', 'encoders', 'bert');

// Pulls yield to everything else on the machine.
vi.setConfig({ testTimeout: 180_000 });

let dataDir = '';
beforeAll(async () => (dataDir = await mkdtemp(join(tmpdir(), 'millrace-pull-'))));
afterAll(() => rm(dataDir, { recursive: true }));

interface Started {
  readonly process: PullProcess;
  readonly progress: PullProgress[];
  readonly ended: Promise<PullOutcome>;
  /** Resolves at the first progress. */
  readonly underWay: Promise<void>;
}

function start(name: string, precision: string | null): Started {
  const progress: PullProgress[] = [];
  const ended = Promise.withResolvers<PullOutcome>();
  const underWay = Promise.withResolvers<void>();
  const process = pullSpawner(dataDir)(
    { name, precision },
    {
      onProgress: (line) => {
        progress.push(line);
        underWay.resolve();
      },
      onEnd: (outcome) => {
        ended.resolve(outcome);
        underWay.resolve();
      },
    },
  );
  return { process, progress, ended: ended.promise, underWay: underWay.promise };
}

/** The state letter of proc(5): `T` is stopped. */
async function stateOf(pid: number | undefined): Promise<string | undefined> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}

describe('a pull', () => {
  it('of a folder installs its model, and says which', async () => {
    const { ended, process } = start(TINY, 'fp32');
    if (process.pid !== undefined) expect(getPriority(process.pid)).toBeGreaterThan(0);
    expect(await ended).toEqual({ kind: 'done', result: expect.stringMatching(/^Installed bert:fp32 \(\d+ MB\)$/) as string });
    expect(await new ModelStore(dataDir).list()).toMatchObject([{ kind: 'ready', id: 'bert' }]);
  });

  it('of something that is not there says so', async () => {
    const outcome = await start('./no-such-model', null).ended;
    expect(outcome.kind === 'failed' && outcome.reason).toMatch(/^There is no file or folder .*no-such-model\.$/);
  });

  it('takes no name for an option', async () => {
    const outcome = await start('--help', null).ended;
    expect(outcome.kind === 'failed' && outcome.reason).toContain('"--help" is no model that can be pulled');
  });

  it.runIf(process.platform === 'linux')(
    'stops for a pause, goes on, and leaves nothing half done when it is ended while it is paused',
    async () => {
      const { process, progress, underWay, ended } = start(await testModel(), 'int8');
      await underWay;
      expect(progress[0]).toMatchObject({ step: 'Preparing int8', unit: 'steps', done: 0 });
      process.pause();
      await expect.poll(() => stateOf(process.pid), { timeout: 30_000 }).toBe('T');
      process.resume();
      await expect.poll(() => stateOf(process.pid), { timeout: 30_000 }).not.toBe('T');
      process.pause();
      process.end(30_000);
      expect(await ended).toEqual({ kind: 'interrupted' });
      expect((await readdir(join(dataDir, 'models'))).filter((name) => name.startsWith('.'))).toEqual([]);
      expect((await readdir(dataDir)).filter((name) => name.endsWith('.lock'))).toEqual([]);
    },
  );

  it('twice of one model is refused, of two models at once is not', async () => {
    const model = await testModel();
    const first = start(model, 'int8');
    await first.underWay;
    const [same, other] = await Promise.all([start(model, 'int8').ended, start(TINY, 'fp32').ended]);
    expect(same.kind === 'failed' && same.reason).toMatch(/^The process \d+ pulls .* already\.$/);
    expect(other.kind).toBe('done');
    first.process.end(30_000);
    expect(await first.ended).toEqual({ kind: 'interrupted' });
  });
});

describe('jobs with real processes', () => {
  it('come to their result, and end with the engine', async () => {
    const options = { file: join(dataDir, 'jobs.json'), spawn: pullSpawner(dataDir), log: createLog('silent') };
    const jobs = new Jobs(options);
    jobs.pull({ name: TINY, precision: 'fp32' });
    await expect.poll(() => jobs.list()[0]?.state, { timeout: 120_000 }).toBe('done');
    expect(jobs.list()).toMatchObject([{ state: 'done', result: expect.stringContaining('Installed bert') as string }]);
    jobs.pull({ name: await testModel(), precision: 'int8' });
    await expect.poll(() => jobs.list()[1]?.step, { timeout: 120_000 }).toMatch(/int8$/);
    await jobs.close();
    const later = new Jobs(options);
    await later.open();
    expect(later.list().map(({ state }) => state)).toEqual(['done', 'failed']);
    await later.close();
  });
});
