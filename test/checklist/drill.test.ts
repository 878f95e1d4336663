// Drills over a real gateway with a model that dies and a queue that fills; and when a drill is refused.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { Drills } from '../../engine/checklist/drill/drills.ts';
import { judgeFullQueue, judgeRunnerDeath, judgeUpstreamCut } from '../../engine/checklist/drill/judge-steps.ts';
import { probe } from '../../engine/checklist/drill/probe.ts';
import type { Faults } from '../../engine/checklist/drill/run-drill.ts';
import type { DrillProbe } from '../../engine/contract.ts';
import { EngineError } from '../../engine/errors.ts';
import { serving } from '../gateway/serving.ts';
import { aModel } from '../renderer/factories.ts';

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

const NO_FAULTS: Faults = { queueLimit: 4, killRunner: () => false, upstream: () => null, cutUpstream: () => () => undefined };
const door = (url: string) => ({ url, headers: {} });

async function drillsWith(faults: Partial<Faults> = {}, foreground = 0, folder?: string): Promise<Drills> {
  const dir = folder ?? (await mkdtemp(join(tmpdir(), 'millrace-drill-')));
  folders.push(dir);
  return new Drills({
    file: join(dir, 'drills.json'),
    log: pino({ level: 'silent' }),
    models: () => [aModel({ id: 'fake', use: 'text' })],
    foreground: () => foreground,
    faults: { ...NO_FAULTS, ...faults },
    probe,
    now: Date.now,
    clock: () => performance.now(),
  });
}

describe('a drill', () => {
  it('fills the queue, sees refusals, and is kept over a restart', async () => {
    const { url } = await serving({ slots: 1, maxWaiting: 2 });
    const drills = await drillsWith();
    drills.start(door(url), false);
    expect(drills.now().running?.step).toBe('baseline');
    await drills.ended();
    const [report] = drills.now().reports;
    expect(report?.steps.map(({ step, verdict }) => `${step} ${verdict}`)).toEqual([
      'runner_death skipped',
      'full_queue passed',
      'upstream_cut skipped',
    ]);
    expect(report?.steps[1]?.sentence).toMatch(/^Of 20 requests at once \d+ were told to come back later/);
    const again = await drillsWith({}, 0, folders[0]);
    expect(again.now().reports).toEqual([report]);
  });

  it('kills the process after the first token, and sees the end of the answer by its name', async () => {
    const killed: string[] = [];
    const failure = { error: new EngineError('runner_died', 'The process of the model died.'), afterSteps: 3 };
    const { url } = await serving({ failure });
    const drills = await drillsWith({ killRunner: (model) => killed.push(model) > 0 });
    drills.start(door(url), false);
    await drills.ended();
    expect(killed).toEqual(['fake']);
    const [step] = drills.now().reports[0]?.steps ?? [];
    expect(step).toMatchObject({ step: 'runner_death', verdict: 'failed', probes: [{ status: 200, errorCode: 'runner_died' }, {}] });
  });

  it('is refused while people are served, unless forced, and never runs twice at once', async () => {
    const { url } = await serving();
    const drills = await drillsWith({}, 2);
    expect(drills.now().refusal).toContain('2 requests are being answered');
    expect(() => drills.start(door(url), false)).toThrow(/break into them/);
    drills.start(door(url), true);
    expect(() => drills.start(door(url), true)).toThrow('A drill is under way.');
    await drills.ended();
    expect(drills.now().reports[0]?.forced).toBe(true);
  });
});

const OK: DrillProbe = { status: 200, errorCode: null, ttftMs: 10, totalMs: 100, model: 'mill' };

describe('the verdict on a step', () => {
  it('fails where an answer is cut without a word, or nobody answers afterwards', () => {
    expect(judgeRunnerDeath({ ...OK, errorCode: 'runner_died' }, OK, 900).verdict).toBe('passed');
    expect(judgeRunnerDeath({ ...OK, errorCode: 'answer_cut' }, OK, 900).verdict).toBe('failed');
    expect(judgeRunnerDeath(OK, { ...OK, status: 503, errorCode: 'model_load_failed' }, 900).verdict).toBe('failed');
  });

  it('takes a refusal that says when to come back, and nothing else', () => {
    expect(judgeFullQueue([{ ...OK, status: 429, errorCode: 'queue_full' }], 20, OK).verdict).toBe('passed');
    expect(judgeFullQueue([{ ...OK, status: 500, errorCode: 'internal' }], 20, OK).verdict).toBe('failed');
  });

  it('wants another model to answer for a lost upstream', () => {
    expect(judgeUpstreamCut('far', OK).verdict).toBe('passed');
    expect(judgeUpstreamCut('far', { ...OK, status: 502, errorCode: 'upstream_failed' }).verdict).toBe('failed');
  });
});
