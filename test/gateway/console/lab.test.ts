// The lab's routes: the table, promotion through the gate, rollback, the user's text, and the jobs.
import { afterEach, describe, expect, it } from 'vitest';
import type { ModelVariants } from '../../../engine/contract.ts';
import { FakeLab } from '../../fakes/lab.ts';
import { consoling, type Consoling } from './consoling.ts';

const running: Consoling[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.gateway.close({ drainMs: 0 });
});

async function open(): Promise<{ lab: FakeLab; call: Consoling['call'] }> {
  const lab = new FakeLab('fake');
  const served = await consoling({}, { lab, variants: lab });
  running.push(served);
  return { lab, call: served.call };
}

const table = async (response: Response): Promise<ModelVariants> => (await response.json()) as ModelVariants;

interface Refusal {
  readonly error: { readonly code: string; readonly message: string };
}

describe('the lab', () => {
  it('tells what was measured of each variant', async () => {
    const { call } = await open();
    const { variants, defaultVariant } = await table(await call('GET', '/api/models/fake/variants'));
    expect(defaultVariant).toBe('int8');
    expect(variants.map(({ name, gate }) => [name, gate.allowed])).toEqual([
      ['int8', true],
      ['int4', false],
      ['fp32', true],
    ]);
    expect((await call('GET', '/api/models/nobody/variants')).status).toBe(404);
  });

  it('promotes what passes the gate, and goes back', async () => {
    const { call } = await open();
    const promoted = await table(await call('POST', '/api/models/fake/promote', { variant: 'fp32' }));
    expect([promoted.defaultVariant, promoted.previousVariant]).toEqual(['fp32', 'int8']);
    expect((await table(await call('POST', '/api/models/fake/rollback', {}))).defaultVariant).toBe('int8');
    expect((await call('POST', '/api/models/fake/rollback', {})).status).toBe(400);
  });

  it('refuses what loses more than the settings allow, unless it is forced or they allow more', async () => {
    const { call } = await open();
    const refused = await call('POST', '/api/models/fake/promote', { variant: 'int4' });
    expect(refused.status).toBe(409);
    const { error } = (await refused.json()) as Refusal;
    expect(error).toMatchObject({ code: 'quality_below_bar', message: expect.stringContaining('9.00% of perplexity') as string });
    expect((await table(await call('POST', '/api/models/fake/promote', { variant: 'int4', force: true }))).defaultVariant).toBe('int4');
    await call('PUT', '/api/settings', { quality: { int4Loss: 0.2 } });
    const { variants } = await table(await call('GET', '/api/models/fake/variants'));
    expect(variants[1]?.gate.allowed).toBe(true);
  });

  it('keeps a text of the user and starts jobs', async () => {
    const { lab, call } = await open();
    expect((await table(await call('PUT', '/api/models/fake/text', { text: 'What is asked here, mostly.' }))).hasOwnText).toBe(true);
    expect((await table(await call('PUT', '/api/models/fake/text', { text: null }))).hasOwnText).toBe(false);
    expect((await call('POST', '/api/jobs/quantise', { model: 'fake', precision: 'int4' })).status).toBe(201);
    expect((await call('POST', '/api/jobs/evaluate', { model: 'fake', variant: 'int8' })).status).toBe(201);
    expect(lab.asked).toEqual([
      { model: 'fake', precision: 'int4', anew: false },
      { model: 'fake', variant: 'int8' },
    ]);
    expect((await call('POST', '/api/jobs/quantise', { model: 'fake', precision: 'int3' })).status).toBe(400);
    expect((await call('POST', '/api/jobs/quantise', { model: 'nobody', precision: 'int4' })).status).toBe(404);
  });
});
