// Every screen, in both themes and at three sizes: no serious accessibility fault, nothing cut, no breach of the page's policy.
import { describe, expect, it } from 'vitest';
import { SCREENS } from '../../renderer/src/shell/screens.ts';
import { seriousFaults } from './axe.ts';
import { consolePages, cutControls, overflow } from './console-pages.ts';
import { aModel, anAlert, aRow, aSnapshot } from './factories.ts';
import type { FakeConsole } from './fake-console.ts';
import { loadTestRun, loadTestSummaries } from './load-tests.ts';
import { alerted, heavyLoad, manyModels } from './load.ts';

const { open } = consolePages();

/** A desktop, 200% zoom of the same, a phone. */
const SIZES = [
  { width: 1_280, height: 720 },
  { width: 640, height: 360 },
  { width: 390, height: 800 },
];

const NAME = 'n'.repeat(80);

function busy(fake: FakeConsole): void {
  fake.snapshot = alerted();
  fake.loadTests = { run: loadTestRun(), reports: loadTestSummaries() };
  fake.alerts = {
    ...fake.alerts,
    active: fake.snapshot.alerts,
    history: [{ ...anAlert({ id: 'past', sinceMs: Date.now() - 9e6 }), endedMs: Date.now() - 8e6, peak: 214.2 }],
  };
  fake.rows = [aRow(), aRow({ rowId: 2, requestId: 'req-2', outcome: 'error', errorCode: 'queue_full', status: 429, ttftMs: null })];
  fake.series = (_, at) => (Math.floor(at / 60_000) % 9 === 4 ? null : 100 + 50 * Math.sin(at / 47_000));
}

const empty = (fake: FakeConsole): void => {
  fake.snapshot = aSnapshot({ models: [] });
};

const named = (fake: FakeConsole): void => {
  fake.snapshot = heavyLoad({ hostName: NAME, models: [aModel({ id: NAME })] });
  fake.rows = [aRow({ model: NAME, modelAsked: NAME })];
};

const crowded = (fake: FakeConsole): void => {
  fake.snapshot = manyModels();
};

describe.each(SCREENS)('$title', ({ path }) => {
  it.each(['light', 'dark'] as const)('has no serious fault in %s', async (colorScheme) => {
    for (const set of colorScheme === 'light' ? [busy, empty] : [busy]) {
      const { page, faults } = await open(path, set, { colorScheme });
      await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
      await page.waitForLoadState('networkidle').catch(() => undefined);
      expect(await seriousFaults(page)).toEqual([]);
      expect(faults).toEqual([]);
    }
  });

  it('cuts nothing off', async () => {
    for (const set of [busy, named, crowded]) {
      const { page } = await open(path, set);
      await page.getByRole('heading', { level: 1 }).waitFor({ state: 'attached' });
      for (const size of SIZES) {
        await page.setViewportSize(size);
        expect(await overflow(page), `${set.name} at ${size.width}`).toBeLessThanOrEqual(0);
        expect(await cutControls(page), `${set.name} at ${size.width}`).toEqual([]);
      }
    }
  });
});
