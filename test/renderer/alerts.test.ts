// The Alerts screen: what fires and what to do, snoozing, rules that are changed and taken back, notifications.
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';
import { anAlert, aSnapshot } from './factories.ts';
import type { FakeConsole } from './fake-console.ts';

const { open } = consolePages();

function firing(fake: FakeConsole): void {
  fake.alerts = { ...fake.alerts, active: [anAlert()], history: [{ ...anAlert({ id: 'past' }), endedMs: 1_700_000_600_000, peak: 214.2 }] };
}

describe('Alerts', () => {
  it('says what fires, what to do, and what fired', async () => {
    const { page, faults } = await open('/alerts', firing);
    const active = page.getByRole('region', { name: 'Active' });
    await active.getByText('140 requests wait; the limit is 100.').waitFor();
    await active.getByText('Add slots or a second replica, or send less.').waitFor();
    expect(await page.getByRole('table', { name: 'Past alerts' }).getByRole('row').nth(1).textContent()).toContain('10 min');
    expect(faults).toEqual([]);
  });

  it('snoozes an alert, and takes it back', async () => {
    const { page, fake } = await open('/alerts', firing);
    await page.getByRole('button', { name: 'Snooze Long queue for 1 h' }).click();
    await page.getByText('Long queue is silent for 60 min.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => fake.changes.map(({ body }) => body)).toEqual([{ minutes: 60 }, { minutes: null }]);
    expect(fake.changes[0]?.path).toBe('/api/alerts/alert-1/snooze');
  });

  it('changes a rule in words, switches one off, removes one and brings it back', async () => {
    const { page, fake } = await open('/alerts');
    const rules = page.getByRole('table', { name: 'Alert rules' });
    await rules.getByText('Queue depth above 100 for 60 s, until below 80').waitFor();
    await page.getByRole('button', { name: 'Edit Long queue' }).click();
    await page.getByLabel('Threshold').fill('50');
    await page.getByLabel('Ends beyond').fill('40');
    await page.getByRole('button', { name: 'Save the rule' }).click();
    await rules.getByText('Queue depth above 50 for 60 s, until below 40').waitFor();
    await page.getByRole('checkbox', { name: 'Too hot' }).uncheck();
    await expect.poll(() => fake.settings.alerts.rules.find(({ name }) => name === 'Too hot')?.enabled).toBe(false);
    await page.getByRole('button', { name: 'Remove Errors' }).click();
    await rules.getByText('Error rate above').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await rules.getByText('Error rate above').waitFor();
  });

  it('adds a rule', async () => {
    const { page, fake } = await open('/alerts');
    const before = fake.settings.alerts.rules.length;
    await page.getByRole('button', { name: 'Add a rule' }).click();
    await page.getByLabel('Watches').selectOption('temperatureCelsius');
    await page.getByRole('button', { name: 'Save the rule' }).click();
    await expect.poll(() => fake.settings.alerts.rules.length).toBe(before + 1);
    expect(fake.settings.alerts.rules.at(-1)?.metric).toBe('temperatureCelsius');
  });
});

describe('desktop notifications', () => {
  it('announce an alert that begins, once, and not one that was there before', async () => {
    const { page, fake } = await open('/now', (fake) => {
      fake.snapshot = aSnapshot({ alerts: [anAlert({ id: 'old' })] });
    });
    await page.evaluate(() => {
      const shown: string[] = [];
      const Fake = class {
        static permission = 'granted';
        constructor(title: string, options: { readonly body: string }) {
          shown.push(`${title}: ${options.body}`);
        }
        addEventListener(): void {}
      };
      Object.assign(window, { Notification: Fake, shown });
    });
    await page.getByRole('status', { name: 'State of the server' }).waitFor();
    const fresh = anAlert({ id: 'new', name: 'Too hot', sentence: '95 °C.', remedy: 'Cool it.' });
    fake.push({ alerts: [anAlert({ id: 'old' }), fresh] });
    await page.getByRole('link', { name: /active: 2/ }).waitFor();
    fake.push({ alerts: [anAlert({ id: 'old' }), fresh] });
    await expect.poll(() => page.evaluate('shown')).toEqual(['Too hot: 95 °C. Cool it.']);
  });
});
