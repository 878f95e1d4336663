// The Load test screen: a test is started as it was chosen, followed, cancelled; its verdict is read and held against the last.
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';
import { aModel, aSnapshot } from './factories.ts';
import { loadTestReports, loadTestRun, loadTestSummaries } from './load-tests.ts';

const { open } = consolePages();

describe('Load test', () => {
  it('teaches what it is for, and starts the recorded peak at twice its load', async () => {
    const { page, fake, faults } = await open('/loadtest');
    await page.getByText('No load test yet.').waitFor();
    await page.getByRole('button', { name: 'Start the test' }).click();
    await expect
      .poll(() => fake.changes)
      .toEqual([
        {
          method: 'POST',
          path: '/api/loadtests',
          body: { profile: { kind: 'recorded' }, factor: 2, minutes: 5, url: null, key: null, model: null },
        },
      ]);
    expect(faults).toEqual([]);
  });

  it('sends bursts of chosen lengths to the first model that writes text', async () => {
    const { page, fake } = await open('/loadtest', (console) => {
      console.snapshot = aSnapshot({ models: [aModel({ id: 'embedder', use: 'embedding' }), aModel({ id: 'writer' })] });
    });
    await page.getByRole('button', { name: 'Bursts' }).click();
    await page.getByRole('button', { name: '4×' }).click();
    await page.getByLabel('Prompts').fill('64');
    await page.getByRole('button', { name: 'Start the test' }).click();
    const profile = { kind: 'bursts', model: 'writer', perSecond: 1, promptTokens: 64, answerTokens: 100 };
    await expect.poll(() => fake.changes[0]?.body).toMatchObject({ profile, factor: 4, model: 'writer' });
  });

  it('sends another server nothing before the reader has agreed', async () => {
    const { page, fake } = await open('/loadtest');
    const start = page.getByRole('button', { name: 'Start the test' });
    await page.getByLabel('Test another server of my network').check();
    await page.getByLabel('Address').fill('http://192.168.1.20:8000');
    await page.getByLabel('Its model').fill('theirs');
    expect(await start.isDisabled()).toBe(true);
    await page.getByLabel('That server is mine').check();
    await start.click();
    await expect.poll(() => fake.changes[0]?.body).toMatchObject({ url: 'http://192.168.1.20:8000', model: 'theirs' });
  });

  it('follows a test and cancels it', async () => {
    const { page, fake } = await open('/loadtest', (console) => {
      console.loadTests = { run: loadTestRun(), reports: [] };
    });
    await page.getByText('120 of 300').waitFor();
    expect(await page.getByRole('button', { name: 'Start the test' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Cancel the test' }).click();
    await expect.poll(() => fake.changes[0]).toMatchObject({ method: 'DELETE', path: '/api/loadtests/current' });
    fake.loadTests = { run: loadTestRun({ state: 'failed', step: 'Failed', reason: 'No request is recorded.' }), reports: [] };
    await page.getByText('No request is recorded.').waitFor();
    await page.getByRole('button', { name: 'Start the test' }).waitFor();
  });

  it('tells the verdict, what to do, the change since the last one, and opens earlier ones', async () => {
    const { page, faults } = await open('/loadtest', (console) => {
      console.loadTests = { run: null, reports: loadTestSummaries() };
    });
    const [newest, older] = loadTestReports();
    await page.getByText(newest?.sentence ?? '').waitFor();
    await page.getByText('Give the model more slots (--slots).').waitFor();
    await page.getByText('goodput 148% higher, first token p99 2900% longer, between tokens p99 the same').waitFor();
    await page.getByText('The queue of the model is full.').waitFor();
    expect(await page.getByRole('link', { name: 'Page' }).getAttribute('href')).toBe(`/api/loadtests/${newest?.id}/export?format=html`);
    await page.getByRole('table', { name: 'Load tests' }).getByRole('row').last().click();
    await page.getByText(older?.sentence ?? '').waitFor();
    expect(faults).toEqual([]);
  });
});
