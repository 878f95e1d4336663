// The Checklist screen: points with their remedies, a mend that is taken back, a drill that is refused first.
import { describe, expect, it } from 'vitest';
import { aChecklist } from './checklists.ts';
import { consolePages } from './console-pages.ts';

const { open } = consolePages();

describe('Checklist', () => {
  it('says how each point stands, what others would cost, and what users saw in the last drill', async () => {
    const { page, faults } = await open('/checklist', () => undefined);
    await page.getByText('1 of 4 good, 1 problem').waitFor();
    await page.getByText('This load needs 0.3 of your device.').waitFor();
    await page.getByText('The next request was answered 1.4 s after the model’s process died.').waitFor();
    expect(await page.getByRole('link', { name: 'Open Models' }).getAttribute('href')).toBe('#/models');
    expect(faults).toEqual([]);
  });

  it('mends a point by one click', async () => {
    const { page, fake } = await open('/checklist', () => undefined);
    await page.getByRole('button', { name: 'Cache hit rate: Turn the cache on' }).click();
    await expect.poll(() => fake.changes.map(({ path }) => path)).toEqual(['/api/checklist/caching/mend']);
    await page.getByText('The cache is on.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => fake.changes[1]).toMatchObject({ method: 'PUT', path: '/api/settings', body: { cache: { enabled: false } } });
  });

  it('drills while people are served only when it is told to twice', async () => {
    const { page, fake } = await open('/checklist', (console) => {
      const checklist = aChecklist();
      console.checklist = { ...checklist, drill: { ...checklist.drill, refusal: 'A request is being answered.' } };
    });
    await page.getByRole('button', { name: 'Run the drill' }).click();
    await page.getByText('A request is being answered.').waitFor();
    expect(fake.changes).toEqual([]);
    await page.getByRole('button', { name: 'Drill anyway' }).click();
    await expect.poll(() => fake.changes[0]).toMatchObject({ path: '/api/checklist/drill', body: { force: true } });
  });
});
