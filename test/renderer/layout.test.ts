// What a reader sees at a glance: figures keep apart, names can be read, and nothing moves when an alert comes and goes.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { consolePages } from './console-pages.ts';
import { aModel, anAlert, aRunning, aSnapshot } from './factories.ts';
import { heavyLoad } from './load.ts';

const { open } = consolePages();
const PHONE = { viewport: { width: 390, height: 844 } };

/** Pairs of figures, labels included, of which one covers the other, by their texts. */
const overlaps = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => {
    const boxes = [...document.querySelectorAll('.stat > *, .stat-value > *')].map((element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      return { element, text: element.textContent, box: range.getBoundingClientRect() };
    });
    return boxes.flatMap((one, at) =>
      boxes
        .slice(at + 1)
        .filter((other) => {
          if (one.element.contains(other.element) || other.element.contains(one.element)) return false;
          const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
          const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
          return across > 1 && down > 1;
        })
        .map((other) => `${one.text} | ${other.text}`),
    );
  });

describe('figures', () => {
  const cheap = { ...heavyLoad().cost, perRequestUsd: 0.000_005_67, savedShare: 0.997 };
  it.each([
    ['wide', 1280],
    ['half a screen', 900],
    ['a phone', 390],
  ])('never lie upon each other: %s', async (_, width) => {
    const { page } = await open('/now', (fake) => (fake.snapshot = heavyLoad({ cost: cheap })), { viewport: { width, height: 720 } });
    const panel = page.getByRole('region', { name: 'Cost and quality, last 24 h' });
    await panel.getByText('$5.67').waitFor();
    expect(await panel.getByText('99.7%').count()).toBe(1);
    expect(await overlaps(page)).toEqual([]);
    await page.goto(page.url().replace('#/now', '#/cost'));
    await page.getByText('Cost per quality-adjusted answer').waitFor();
    expect(await overlaps(page)).toEqual([]);
  });
});

describe('an alert', () => {
  const sentence =
    'The P99 inter-token latency of smollm2-135m-instruct over its objective is 3.42×, above the limit of 2×. The slowest hundredth takes long.';
  const remedy = 'Look in the history at what the slow requests waited for; add slots, use a faster precision, or raise the objective.';
  it.each([
    ['1280 wide', { viewport: { width: 1280, height: 720 } }],
    ['on a phone', PHONE],
  ])('moves nothing when it comes and goes: %s', async (_, options) => {
    const { page, fake } = await open('/now', undefined, options);
    const devices = page.getByRole('region', { name: 'Devices' });
    await devices.waitFor();
    const top = async (): Promise<number | undefined> => (await devices.boundingBox())?.y;
    const before = await top();
    fake.push({ alerts: [anAlert({ sentence, remedy })] });
    await page.locator('.now-detail').getByText(remedy).waitFor();
    expect(await top()).toBe(before);
    fake.push({ alerts: [] });
    await page.locator('.now-finding').getByText('Nobody is asking right now.').waitFor();
    expect(await top()).toBe(before);
  });

  it('is one line with its figure and one with what to do, both whole at 1280', async () => {
    const { page } = await open('/now', (fake) => (fake.snapshot = aSnapshot({ alerts: [anAlert({ sentence, remedy })] })));
    const lines = page.locator('.now-sentence > p');
    await lines.nth(1).getByText(remedy).waitFor();
    const sizes = await lines.evaluateAll((elements) =>
      elements.map((line) => [getComputedStyle(line).fontSize, line.clientHeight, line.scrollWidth > line.clientWidth]),
    );
    expect(sizes).toEqual([
      ['20px', 28, false],
      ['14px', 20, false],
    ]);
    expect(await lines.nth(0).textContent()).toBe(sentence.slice(0, sentence.indexOf(' The slowest')));
  });
});

describe('the name of a model', () => {
  const id = 'smollm2-1.7b-instruct-q8';
  const slotUse = Array.from({ length: 16 }, () => ({ phase: 'decode', usedTokens: 300 }) as const);
  const busy = aModel({ id, running: aRunning({ slots: 16, slotUse, runningRequests: 16, unloadInMs: null }) });
  it.each(['/models', '/now'])('can be read at 1280 beside 16 slots on %s', async (path) => {
    expect(id).toHaveLength(24);
    const { page } = await open(path, (fake) => (fake.snapshot = aSnapshot({ models: [busy] })));
    const name = page.getByRole('cell', { name: id }).first();
    await name.waitFor();
    const isCut = await name.evaluate((cell) =>
      [cell, ...cell.querySelectorAll('*')].some((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0),
    );
    expect(isCut).toBe(false);
  });
});
