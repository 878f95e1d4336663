// The models screen in a real browser, built as for users, over the real gateway with a scripted fleet and scripted jobs.
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../engine/errors.ts';
import type { KnownModel } from '../../../engine/gateway/console/services.ts';
import { fakeEmbedding } from '../../fakes/host.ts';
import { seriousFaults } from '../axe.ts';
import type { FakeEngineOptions } from '../engine.ts';
import { gatewayPages } from '../gateway-pages.ts';

const facts = { licence: 'apache-2.0', contextLength: 8192, fit: 'fits' } as const;
const CATALOGUE: readonly KnownModel[] = [
  { id: 'small', title: 'Small', use: 'text', parameterCount: 135e6, sizeBytes: 142e6, memoryBytes: 178e6, ...facts },
  { id: 'huge', title: 'Huge', use: 'text', parameterCount: 70e9, sizeBytes: 75e9, memoryBytes: 94e9, ...facts, fit: 'too_large' },
  { id: 'vectors', title: 'Vectors', use: 'embedding', parameterCount: 22e6, sizeBytes: 23e6, memoryBytes: 29e6, ...facts },
];

const { open } = gatewayPages();

async function openModels(options: FakeEngineOptions = {}, context: BrowserContextOptions = {}) {
  const { page, faults, engine } = await open('/models', { catalogue: CATALOGUE, ...options }, context);
  await page.getByRole('button', { name: 'Get a model' }).waitFor();
  return { page, faults, engine };
}

const row = (page: Page, id: string): Locator => page.getByRole('row').filter({ hasText: id });

describe('the models screen', () => {
  it('shows what is installed and what each does, and opens one', async () => {
    const { page, faults } = await openModels({ models: ['alpha', 'n'.repeat(80)], encoders: { vectors: fakeEmbedding } });
    await row(page, 'alpha').getByText('135M, 135 MB').waitFor();
    await row(page, 'alpha').getByText('0 of 8 busy').waitFor();
    await row(page, 'vectors').getByText('6.5 texts a batch').waitFor();
    await page.getByText('3 models, 3 loaded').waitFor();
    await row(page, 'alpha').press('Enter');
    await page.getByRole('dialog').getByText('chat and completions').waitFor();
    await page.keyboard.press('Escape');
    expect(faults).toEqual([]);
  });

  it('loads, unloads and pins', async () => {
    const { page, engine } = await openModels({ models: ['alpha'] });
    await page.getByRole('button', { name: 'Unload alpha' }).click();
    await row(page, 'alpha').getByText('not loaded').waitFor();
    await page.getByRole('button', { name: 'Load alpha' }).click();
    await page.getByRole('button', { name: 'Unload alpha' }).waitFor();
    await page.getByRole('button', { name: 'Pin alpha' }).click();
    await row(page, 'alpha').getByText('pinned').waitFor();
    expect(engine.ledger.settings.pinnedModels).toEqual(['alpha']);
    await page.getByRole('button', { name: 'Unpin alpha' }).click();
    await expect.poll(() => engine.ledger.settings.pinnedModels).toEqual([]);
  });

  it('deletes, and takes that back', async () => {
    const { page, engine } = await openModels({ models: ['alpha', 'beta'] });
    await page.getByRole('button', { name: 'Delete beta' }).click();
    await expect.poll(() => row(page, 'beta').count()).toBe(0);
    await expect.poll(() => [...engine.fleet.removed]).toEqual(['beta']);
    await page.getByRole('button', { name: 'Undo' }).click();
    await row(page, 'beta').waitFor();
    expect(engine.fleet.removed.size).toBe(0);
  });

  it('says why a model failed, and what a refused change means', async () => {
    const { page, engine } = await openModels({ models: ['alpha'], state: { kind: 'failed', reason: 'The weights are cut short.' } });
    await row(page, 'alpha').getByText('The weights are cut short.').waitFor();
    engine.fleet.preload = async () => Promise.reject(new Error('unseen'));
    await page.getByRole('button', { name: 'Load again alpha' }).click();
    await page.route('**/api/models/alpha', (route) => route.abort());
    await page.getByRole('button', { name: 'Delete alpha' }).click();
    await page.getByText('alpha was not deleted: The engine does not answer.').waitFor();
    await row(page, 'alpha').waitFor();
  });

  it('gets a model of the catalogue, follows it over a reload, pauses, resumes and cancels', async () => {
    const { page, engine } = await openModels({ models: ['alpha'] });
    await page.getByRole('button', { name: 'Get a model' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('too large: needs about 93.8 GB').waitFor();
    await dialog.getByLabel('Name').fill('chat sm');
    await dialog.getByRole('button', { name: 'int4' }).click();
    await dialog.getByRole('button', { name: 'Get Small' }).click();
    const job = page.getByRole('group', { name: 'small' });
    await job.getByText('40 MB of 100 MB, 8 MB/s, 8 s left').waitFor();
    expect(engine.jobs.pulls).toEqual([{ name: 'small', precision: 'int4' }]);
    await page.reload();
    await job.getByRole('button', { name: 'Pause' }).click();
    await job.getByRole('button', { name: 'Resume' }).click();
    await job.getByText('downloading').waitFor();
    engine.jobs.change('job-1', { state: 'done', endedMs: 2, result: 'Installed as small, 71 MB.' });
    await job.getByText('Installed as small, 71 MB.').waitFor();
    await page.getByRole('button', { name: 'Dismiss small' }).click();
    await expect.poll(() => job.count()).toBe(0);
  });

  it('gets any other name, and says why one is refused', async () => {
    const { page, engine } = await openModels({ models: ['alpha'] });
    engine.jobs.refusal = new EngineError('invalid_request', 'owner/model is being pulled already.', { param: 'name' });
    await page.getByRole('button', { name: 'Get a model' }).click();
    await page.getByLabel('Name').fill('owner/model');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('owner/model is being pulled already.').waitFor();
    engine.jobs.refusal = null;
    await page.getByRole('button', { name: 'Get owner/model' }).click();
    await page.getByRole('group', { name: 'owner/model' }).getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('group', { name: 'owner/model' }).getByText('Cancelled.').waitFor();
    expect(engine.jobs.pulls).toEqual([{ name: 'owner/model', precision: null }]);
  });

  it('teaches what to do without a model', async () => {
    const { page, engine } = await openModels({ models: [] });
    await page.getByRole('button', { name: 'Get Small (142 MB)' }).click();
    await page.getByText('Your first model is on its way').waitFor();
    expect(engine.jobs.pulls).toEqual([{ name: 'small', precision: null }]);
  });

  it('finds one of 200 models', async () => {
    const { page } = await openModels({ models: Array.from({ length: 200 }, (_, at) => `model-${at}`) });
    await row(page, 'model-199').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('model-123');
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    await page.getByText('1 of 200 models').waitFor();
    await page.keyboard.type('x');
    await page.getByText('No model of that name').waitFor();
  });

  it.each(['light', 'dark'] as const)('has no serious accessibility fault, in %s, on a desktop and on a phone', async (colorScheme) => {
    const { page, engine } = await openModels({ models: ['alpha', 'n'.repeat(80)] }, { colorScheme });
    engine.fleet.states.set('alpha', { kind: 'failed', reason: 'The weights are cut short.' });
    engine.jobs.pull({ name: 'small', precision: null });
    await page.getByRole('group', { name: 'small' }).waitFor();
    await row(page, 'alpha').getByText('failed').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.getByRole('button', { name: 'Get a model' }).click();
    await page.getByText('Huge', { exact: true }).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(await seriousFaults(page)).toEqual([]);
  });
});
