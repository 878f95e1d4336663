// The checklist over HTTP: read, mended by one click, refused by name; the command's text of the same.
import { describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { Checklist } from '../../../engine/checklist/checklist.ts';
import { Drills } from '../../../engine/checklist/drill/drills.ts';
import { checklistText } from '../../../engine/cli/doctor.ts';
import { CHECK_POINTS, type ChecklistAnswer, type MendAnswer } from '../../../engine/contract.ts';
import { FakeLedger } from '../../fakes/ledger.ts';
import { errorOf, post, serving } from '../serving.ts';

async function checked(ledger: FakeLedger) {
  const faults = { queueLimit: 2, killRunner: () => false, upstream: () => null, cutUpstream: () => () => undefined };
  const probe = async () => ({ status: 200, errorCode: null, ttftMs: 1, totalMs: 2, model: 'fake' });
  const clocks = { now: Date.now, clock: () => performance.now() };
  const log = pino({ level: 'silent' });
  const drills = new Drills({ file: '/dev/null/none', log, models: () => [], foreground: () => 0, faults, probe, ...clocks });
  const activity = { kind: 'idle', reason: 'No batch waits.', rows: 0 } as const;
  const sources = {
    ledger,
    models: () => [],
    router: null,
    batches: { view: async () => ({ activity, batches: [] }) },
    loadTest: async () => null,
    variants: async () => [],
  };
  const checklist = new Checklist({ sources, ledger, drills, startLoadTest: null, now: Date.now });
  return serving({}, {}, (host) => host, { checklist: async () => checklist });
}

describe('the checklist over HTTP', () => {
  it('tells ten points, mends one, and can be taken back', async () => {
    const ledger = new FakeLedger({ cache: { enabled: false } });
    const { url } = await checked(ledger);
    const answer = (await (await fetch(`${url}/api/checklist`)).json()) as ChecklistAnswer;
    expect(answer.items.map(({ point }) => point)).toEqual(CHECK_POINTS);
    expect(checklistText(answer)).toContain('BAD  Cache hit rate: Off');
    const response = await post(`${url}/api/checklist/caching/mend`, {});
    const mended = (await response.json()) as MendAnswer;
    expect(mended.checklist.items.find(({ point }) => point === 'caching')?.state).toBe('unknown');
    expect(ledger.settings.cache.enabled).toBe(true);
    await ledger.changeSettings(mended.undo ?? {});
    expect(ledger.settings.cache.enabled).toBe(false);
  });

  it('refuses what one click does not mend, and a drill without a model', async () => {
    const { url } = await checked(new FakeLedger());
    expect(await errorOf(await post(`${url}/api/checklist/quantisation/mend`, {}))).toMatchObject({ status: 400, param: 'point' });
    expect(await errorOf(await post(`${url}/api/checklist/nothing/mend`, {}))).toMatchObject({ status: 400 });
    expect((await errorOf(await post(`${url}/api/checklist/drill`, {}))).message).toContain('no model that writes text');
  });
});
