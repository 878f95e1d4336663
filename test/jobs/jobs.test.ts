// Jobs on scripted processes: their order, pause, cancellation, what a restart remembers.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../engine/log.ts';
import { Jobs, type JobsOptions } from '../../engine/jobs/jobs.ts';
import { planStarts, type JobView } from '../../engine/jobs/plan-jobs.ts';
import { parseOutcome, parseProgress, PullOutput, type PullProgress } from '../../engine/jobs/pull-lines.ts';
import type { PullListener, PullProcess, SpawnPull } from '../../engine/jobs/pull-process.ts';

/** A process that does what the test says, and ends when it is told to. */
class ScriptedPull implements PullProcess {
  readonly pid = undefined;
  readonly canPause: boolean;
  readonly said: string[] = [];
  readonly listener: PullListener;
  readonly name: string;

  constructor(name: string, listener: PullListener, canPause: boolean) {
    this.name = name;
    this.listener = listener;
    this.canPause = canPause;
  }

  pause(): void {
    this.said.push('pause');
  }

  resume(): void {
    this.said.push('resume');
  }

  end(): void {
    this.said.push('end');
  }

  progress(done: number, total: number | null, perSecond: number | null): void {
    this.listener.onProgress({ step: 'Fetching model.gguf', done, total, unit: 'bytes', perSecond });
  }
}

let folder = '';
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-jobs-'))));
// A job's list may just be being written.
afterEach(() => rm(folder, { recursive: true, maxRetries: 5 }));

function createJobs({ canPause = true, ...changes }: Partial<JobsOptions> & { canPause?: boolean } = {}) {
  const pulls: ScriptedPull[] = [];
  const clock = { nowMs: 1000 };
  const spawn: SpawnPull = (request, listener) => {
    const pull = new ScriptedPull('name' in request ? request.name : request.model, listener, canPause);
    pulls.push(pull);
    return pull;
  };
  const file = join(folder, 'jobs.json');
  const jobs = new Jobs({ file, spawn, log: createLog('silent'), now: () => clock.nowMs, ...changes });
  const states = (): Record<string, string> => Object.fromEntries(jobs.list().map(({ title, state }) => [title, state]));
  return { jobs, pulls, clock, file, states };
}

const ask = (name: string) => ({ name, precision: null });
const lastOf = (pulls: readonly ScriptedPull[]): ScriptedPull => pulls.at(-1) ?? expect.unreachable();

describe('jobs', () => {
  it('run two at a time, in the order in which they were asked for', () => {
    const { jobs, pulls, states } = createJobs();
    for (const name of ['a', 'b', 'c', 'd']) jobs.pull(ask(name));
    expect(states()).toEqual({ a: 'running', b: 'running', c: 'waiting', d: 'waiting' });
    pulls[1]?.listener.onEnd({ kind: 'done', result: 'Installed b.' });
    expect(states()).toEqual({ a: 'running', b: 'done', c: 'running', d: 'waiting' });
    expect(pulls.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('show progress, speed and the time left, and no speed that is old', () => {
    const { jobs, pulls, clock } = createJobs();
    const { id } = jobs.pull(ask('a'));
    lastOf(pulls).progress(25, 100, 5);
    expect(jobs.list()).toMatchObject([{ id, step: 'Fetching model.gguf', done: 25, total: 100, unit: 'bytes', rate: 5, etaMs: 15_000 }]);
    lastOf(pulls).progress(30, null, 5);
    expect(jobs.list()).toMatchObject([{ total: null, rate: 5, etaMs: null }]);
    clock.nowMs += 5001;
    expect(jobs.list()).toMatchObject([{ done: 30, rate: null, etaMs: null }]);
    lastOf(pulls).listener.onProgress({ step: 'Converting to int8', done: 1, total: 3, unit: 'steps', perSecond: 0.1 });
    clock.nowMs += 20_000;
    expect(jobs.list()).toMatchObject([{ rate: 0.1, etaMs: 20_000 }]);
  });

  it('say what they achieved or why they failed, for an hour', () => {
    const { jobs, pulls, clock } = createJobs();
    jobs.pull(ask('a'));
    lastOf(pulls).listener.onEnd({ kind: 'done', result: 'Installed a:int8 (3 MB)' });
    jobs.pull(ask('b'));
    lastOf(pulls).listener.onEnd({ kind: 'failed', reason: 'There is no such repository.' });
    expect(jobs.list()).toMatchObject([
      { state: 'done', result: 'Installed a:int8 (3 MB)', endedMs: 1000 },
      { state: 'failed', result: 'There is no such repository.', endedMs: 1000 },
    ]);
    clock.nowMs += 3_600_001;
    expect(jobs.list()).toEqual([]);
  });

  it('pause by stopping their process, and give their place away meanwhile', () => {
    const { jobs, pulls, states } = createJobs({ most: 1 });
    const { id } = jobs.pull(ask('a'));
    jobs.pull(ask('b'));
    expect(jobs.pause(id)).toMatchObject({ state: 'paused' });
    expect(states()).toEqual({ a: 'paused', b: 'running' });
    expect(jobs.resume(id)).toMatchObject({ state: 'waiting' });
    expect(pulls[0]?.said).toEqual(['pause']);
    pulls[1]?.listener.onEnd({ kind: 'done', result: '' });
    expect(pulls[0]?.said).toEqual(['pause', 'resume']);
    expect(states()).toEqual({ a: 'running', b: 'done' });
    expect(pulls).toHaveLength(2);
  });

  it('pause by ending their process where it cannot be stopped, and start it again', () => {
    const { jobs, pulls, states } = createJobs({ canPause: false });
    const { id } = jobs.pull(ask('a'));
    jobs.pause(id);
    expect(pulls[0]?.said).toEqual(['end']);
    jobs.resume(id);
    expect(pulls).toHaveLength(1);
    pulls[0]?.listener.onEnd({ kind: 'interrupted' });
    expect(states()).toEqual({ a: 'running' });
    expect(pulls).toHaveLength(2);
  });

  it('are cancelled at once; their place is free when the process is gone', () => {
    const { jobs, pulls, states } = createJobs({ most: 1 });
    const { id } = jobs.pull(ask('a'));
    jobs.pull(ask('b'));
    expect(jobs.cancel(id)).toMatchObject({ state: 'cancelled', result: 'Cancelled; what was downloaded is kept.' });
    jobs.pull(ask('a'));
    expect(pulls).toHaveLength(1);
    pulls[0]?.listener.onEnd({ kind: 'interrupted' });
    expect(pulls.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(jobs.list().map(({ state }) => state)).toEqual(['cancelled', 'running', 'waiting']);
    jobs.cancel(id);
    expect(states()).toEqual({ b: 'running', a: 'waiting' });
  });

  it('refuse what makes no sense, by name', () => {
    const { jobs, pulls } = createJobs();
    const { id } = jobs.pull(ask('a'));
    expect(() => jobs.pull(ask(' a '))).toThrow('a is being pulled already.');
    expect(() => jobs.pull(ask('  '))).toThrow('name must be 1 to 1024 characters.');
    expect(() => jobs.resume(id)).toThrow('This job is running, not paused.');
    expect(() => jobs.cancel('other')).toThrow('There is no job other.');
    lastOf(pulls).listener.onEnd({ kind: 'done', result: '' });
    expect(() => jobs.pause(id)).toThrow('This job is done; it cannot be paused.');
  });
});

describe('jobs over a restart', () => {
  it('are remembered; those that ran have been interrupted', async () => {
    const first = createJobs({ most: 1 });
    for (const name of ['a', 'b', 'c']) first.jobs.pull(ask(name));
    lastOf(first.pulls).listener.onEnd({ kind: 'done', result: 'Installed a.' });
    const closed = first.jobs.close();
    await expect.poll(() => lastOf(first.pulls).said).toEqual(['end']);
    lastOf(first.pulls).listener.onEnd({ kind: 'interrupted' });
    await closed;
    const { jobs } = createJobs();
    await jobs.open();
    const result = 'Interrupted when the server ended; pull it again to go on from there.';
    expect(jobs.list()).toMatchObject([
      { title: 'a', state: 'done', result: 'Installed a.' },
      { title: 'b', state: 'failed', result, endedMs: 1000 },
      { title: 'c', state: 'failed', result, endedMs: 1000 },
    ]);
    expect(jobs.pull(ask('b'))).toMatchObject({ state: 'running' });
  });

  it('start empty from a damaged file, and replace it', async () => {
    const { jobs, file } = createJobs();
    await writeFile(file, '[{"status":{"id":"x"');
    await jobs.open();
    expect(jobs.list()).toEqual([]);
    jobs.pull(ask('a'));
    await expect.poll(() => readFile(file, 'utf8')).toContain('"title":"a"');
  });

  it('go on when the file cannot be written', async () => {
    const { jobs, states } = createJobs({ file: join(folder, 'a-file', 'jobs.json') });
    await writeFile(join(folder, 'a-file'), '');
    await jobs.open();
    jobs.pull(ask('a'));
    expect(states()).toEqual({ a: 'running' });
  });
});

describe('the turn of a job', () => {
  const job = (id: string, state: JobView['state'], process: JobView['process'] = 'none'): JobView => ({ id, subject: id, state, process });

  it('comes when a place is free; paused jobs take none, ending ones do', () => {
    expect(planStarts([job('a', 'paused', 'alive'), job('b', 'waiting'), job('c', 'waiting')], 1)).toEqual(['b']);
    expect(planStarts([job('a', 'cancelled', 'ending'), job('b', 'waiting')], 1)).toEqual([]);
    expect(planStarts([job('a', 'running', 'alive'), job('b', 'running', 'alive'), job('c', 'waiting')], 1)).toEqual([]);
  });

  it('waits for its own process and for that of an earlier pull of the name to end', () => {
    expect(planStarts([job('a', 'waiting', 'ending')], 2)).toEqual([]);
    const earlier = { ...job('x', 'cancelled', 'ending'), subject: 'a' };
    expect(planStarts([earlier, job('a', 'waiting'), job('b', 'waiting')], 2)).toEqual(['b']);
  });
});

describe('the lines of a pull', () => {
  it('that tell of progress are told from others', () => {
    const progress = { step: 'Fetching x', done: 1, total: 2, unit: 'bytes', perSecond: null };
    expect(parseProgress(JSON.stringify({ progress }))).toEqual(progress);
    expect(parseProgress(JSON.stringify({ progress: { ...progress, total: 'many' } }))).toEqual({ ...progress, total: null });
    for (const line of ['', 'warning: {', '{"progress":1}', '{"progress":{"step":"x","done":"1","unit":"bytes"}}', '{"error":{}}', '{']) {
      expect(parseProgress(line)).toBeNull();
    }
  });

  it('arrive in any pieces, and leave what else was said for the outcome', () => {
    const progress: PullProgress = { step: 'Fetching x', done: 1, total: 2, unit: 'bytes', perSecond: null };
    const text = `warning\n${JSON.stringify({ progress })}\n{"error":{"message":"No room."}}\n`;
    for (const size of [1, 7, 1000]) {
      const seen: PullProgress[] = [];
      const output = new PullOutput((line) => seen.push(line));
      for (let at = 0; at < text.length; at += size) output.add('stderr', text.slice(at, at + size));
      expect(seen).toEqual([progress]);
      expect(output.outcome(1, null)).toEqual({ kind: 'failed', reason: 'No room.' });
    }
  });

  it('say how it ended', () => {
    const ended = { code: 1, signal: null, stdout: '', stderr: '' };
    const variants = [
      { name: 'int8', sizeBytes: 145_400_000, weightsFile: 'int8/weights.bin' },
      { name: 'int8-kv8', sizeBytes: 145_400_000, weightsFile: 'int8/weights.bin' },
    ];
    expect(parseOutcome({ ...ended, code: 0, stdout: `${JSON.stringify({ id: 'm', variants })}\n` })).toEqual({
      kind: 'done',
      result: 'Installed m:int8 (145 MB)',
    });
    expect(parseOutcome({ ...ended, code: 130, stderr: '{"error":{"message":"Interrupted."}}' })).toEqual({ kind: 'interrupted' });
    expect(parseOutcome({ ...ended, stderr: 'warning\n{"error":{"message":"No room."}}\n' })).toEqual({
      kind: 'failed',
      reason: 'No room.',
    });
    expect(parseOutcome({ ...ended, stderr: 'Segmentation fault\n' })).toEqual({
      kind: 'failed',
      reason: 'The command ended with exit code 1: Segmentation fault',
    });
    expect(parseOutcome({ ...ended, code: null, signal: 'SIGKILL' })).toEqual({
      kind: 'failed',
      reason: 'The command ended with signal SIGKILL.',
    });
  });
});
