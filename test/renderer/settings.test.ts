// The Settings screen, and the API screen with what there is to copy.
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';
import { aModel, aSnapshot } from './factories.ts';

const { open } = consolePages();

describe('Settings', () => {
  it('saves one group, and takes it back', async () => {
    const { page, fake, faults } = await open('/settings');
    const group = page.getByRole('region', { name: 'Power and hardware' });
    await group.getByLabel('Electricity tariff').fill('0.42');
    await group.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Power and hardware: saved.').waitFor();
    expect(fake.settings.cost.tariffUsdPerKwh).toBe(0.42);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => fake.settings.cost.tariffUsdPerKwh).toBe(0.3);
    expect(faults).toEqual([]);
  });

  it('edits lists of prices, and discards a draft', async () => {
    const { page, fake } = await open('/settings');
    const group = page.getByRole('region', { name: 'Prices of rented GPUs' });
    await group.getByRole('button', { name: 'Remove GPU 1' }).click();
    await group.getByRole('button', { name: 'Add a GPU' }).click();
    await group.getByRole('group', { name: 'GPU 2' }).getByRole('textbox', { name: 'GPU' }).fill('L4');
    await group.getByRole('group', { name: 'GPU 2' }).getByLabel('$ per hour').fill('0.8');
    await group.getByRole('button', { name: 'Save' }).click();
    await expect
      .poll(() => fake.settings.cost.rentPrices)
      .toEqual([
        { name: 'A100', usdPerHour: 3 },
        { name: 'L4', usdPerHour: 0.8 },
      ]);
    const upstream = page.getByRole('region', { name: 'Prices of upstream models' });
    await upstream.getByRole('button', { name: 'Remove price 1' }).click();
    await upstream.getByRole('button', { name: 'Discard' }).click();
    expect(await upstream.getByRole('group').count()).toBe(fake.settings.cost.upstreamPrices.length);
  });

  it('says beside the field why the engine refused it', async () => {
    const { page } = await open('/settings');
    await page.route('**/api/settings', async (route) => {
      if (route.request().method() === 'GET') return route.continue();
      const error = { message: 'retention.minutesDays must be a whole number from 1 to 3650 days.', type: 'invalid_request_error' };
      return route.fulfill({ status: 400, json: { error: { ...error, param: 'retention.minutesDays', code: 'invalid_request' } } });
    });
    const group = page.getByRole('region', { name: 'How long history is kept' });
    await group.getByLabel('Minutes').fill('0');
    await group.getByRole('button', { name: 'Save' }).click();
    await group.getByText('Not saved.').waitFor();
    expect(await group.getByLabel('Minutes').getAttribute('aria-invalid')).toBe('true');
    expect(await group.getByLabel('Hours').getAttribute('aria-invalid')).toBe('false');
  });

  it('shows where each model’s objectives come from, sets one’s own, and takes them back', async () => {
    const { page, fake } = await open('/settings', (fake) => {
      fake.snapshot = aSnapshot({ models: [aModel(), aModel({ id: 'beta' })] });
      fake.calibrated = { alpha: { ttftMs: 800, interTokenMs: 60, totalMs: 9_000 } };
      fake.settings = {
        ...fake.settings,
        slos: { ...fake.settings.slos, models: { old: { ttftMs: 1, interTokenMs: null, totalMs: null } } },
      };
    });
    const group = page.getByRole('region', { name: 'Objectives of single models' });
    const of = (model: string) => group.getByRole('group', { name: `Objectives of ${model}` });
    await of('alpha').getByText('from calibration').waitFor();
    expect(await of('alpha').getByLabel('First token, ms').inputValue()).toBe('800');
    await of('beta').getByText('as for all models').waitFor();
    await of('old').getByText('yours').waitFor();
    await group.getByRole('button', { name: 'Reset the objectives of old' }).click();
    await of('old').getByText('as for all models').waitFor();
    await of('alpha').getByLabel('First token, ms').fill('500');
    await of('alpha').getByText('yours').waitFor();
    await group.getByRole('button', { name: 'Save' }).click();
    await expect
      .poll(() => fake.changes[0]?.body)
      .toEqual({ slos: { models: { old: null, alpha: { ttftMs: 500, interTokenMs: 60, totalMs: 9_000 } } } });
  });

  it('tries the webhook, and says why it did not take the test', async () => {
    const { page, fake } = await open('/settings', (fake) => {
      fake.settings = { ...fake.settings, alerts: { ...fake.settings.alerts, webhookUrl: 'http://127.0.0.1:9/hook' } };
      fake.webhookTest = { kind: 'failed', reason: 'it answered with status 500' };
    });
    const group = page.getByRole('region', { name: 'Where alerts go' });
    await group.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The webhook did not take the test: it answered with status 500.').waitFor();
    fake.webhookTest = { kind: 'delivered', status: 204 };
    await group.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The webhook took the test (status 204).').waitFor();
    expect(fake.changes.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /api/alerts/test-webhook',
      'POST /api/alerts/test-webhook',
    ]);
  });
});

describe('API', () => {
  it('gives the address and snippets that can be copied', async () => {
    const { page, faults } = await open(
      '/api',
      (fake) => {
        fake.snapshot = aSnapshot({ address: 'http://127.0.0.1:4711' });
      },
      { permissions: ['clipboard-read', 'clipboard-write'] },
    );
    await page.getByText('http://127.0.0.1:4711/v1', { exact: true }).last().waitFor();
    await page.getByRole('button', { name: 'Copy: Python snippet' }).click();
    await page.getByRole('button', { name: 'Copied: Python snippet' }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toContain('OpenAI(base_url="http://127.0.0.1:4711/v1"');
    expect(copied).toContain('model="alpha"');
    expect(await page.locator('main').getByRole('link', { name: 'Keys' }).getAttribute('href')).toBe('#/keys');
    expect(faults).toEqual([]);
  });
});
