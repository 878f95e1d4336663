// Jobs of the lab: what is started for each, which of them wait for one another, and what they say at the end.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobRequest } from '../../engine/jobs/job-control.ts';
import { Jobs } from '../../engine/jobs/jobs.ts';
import { parseOutcome } from '../../engine/jobs/pull-lines.ts';
import { jobArguments, type PullListener } from '../../engine/jobs/pull-process.ts';
import { createLog } from '../../engine/log.ts';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-lab-jobs-'))));
afterEach(() => rm(folder, { recursive: true, maxRetries: 5 }));

interface Started {
  readonly request: JobRequest;
  readonly listener: PullListener;
}

function createJobs(): { jobs: Jobs; started: Started[] } {
  const started: Started[] = [];
  const jobs = new Jobs({
    file: join(folder, 'jobs.json'),
    log: createLog('silent'),
    spawn: (request, listener) => {
      started.push({ request, listener });
      const end = (): void => listener.onEnd({ kind: 'interrupted' });
      return { pid: undefined, canPause: true, pause: () => undefined, resume: () => undefined, end };
    },
  });
  return { jobs, started };
}

const int4 = { model: 'mill', precision: 'int4', anew: false };

describe('a job of the lab', () => {
  it('becomes a command line', () => {
    expect(jobArguments({ kind: 'quantise', ...int4 }, '/data')).toEqual([
      'quantise',
      '--json',
      '--data-dir',
      '/data',
      '--precision',
      'int4',
      '--',
      'mill',
    ]);
    expect(jobArguments({ kind: 'quantise', ...int4, anew: true }, '/data')).toContain('--anew');
    expect(jobArguments({ kind: 'evaluate', model: 'mill', variant: 'int8' }, '/data').slice(-2)).toEqual(['--', 'mill:int8']);
    expect(jobArguments({ name: '--help', precision: null }, '/data').slice(-2)).toEqual(['--', '--help']);
  });

  it('waits for another on the same model, whose files lie in the same folder', () => {
    const { jobs, started } = createJobs();
    jobs.quantise(int4);
    const second = jobs.evaluate({ model: 'mill', variant: 'int8' });
    jobs.quantise({ ...int4, model: 'other' });
    expect(started.map(({ request }) => ('model' in request ? request.model : ''))).toEqual(['mill', 'other']);
    expect(jobs.list().find(({ id }) => id === second.id)?.state).toBe('waiting');
    started[0]?.listener.onEnd({ kind: 'done', result: 'Measured.' });
    expect(started).toHaveLength(3);
  });

  it('is refused while the same is under way, and says that a cancelled one changed nothing', () => {
    const { jobs } = createJobs();
    const { id, kind } = jobs.quantise(int4);
    expect(kind).toBe('quantise');
    expect(() => jobs.quantise(int4)).toThrow('being quantised already');
    expect(jobs.cancel(id).result).toBe('Cancelled; the model is as it was.');
    expect(jobs.quantise(int4).state).not.toBe('cancelled');
  });

  it('ends with what the gate says of the variant that was measured last', () => {
    const variant = (atMs: number | null, reason: string) => ({ measured: atMs === null ? null : { atMs }, gate: { reason } });
    const variants = [variant(5, 'int8 loses 0.4%'), variant(9, 'int4 loses 7%'), variant(null, 'not measured')];
    const stdout = JSON.stringify({ model: 'mill', variants });
    expect(parseOutcome({ code: 0, signal: null, stdout, stderr: '' })).toEqual({ kind: 'done', result: 'Measured: int4 loses 7%' });
  });
});
