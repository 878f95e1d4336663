import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupByLength } from '../../../engine/runner/encoder/length-groups.ts';

const lengths = fc.array(fc.integer({ min: 1, max: 8192 }), { minLength: 1, maxLength: 64 });

test('every text is in one group, and none is empty', () => {
  fc.assert(
    fc.property(lengths, (texts) => {
      const groups = groupByLength(texts, 12);
      expect(groups.every((group) => group.length > 0)).toBe(true);
      expect(groups.flat().toSorted((a, b) => a - b)).toEqual(texts.map((_, at) => at));
    }),
  );
});

test('a group of several texts has few empty places, and its scores stay within 64 MB', () => {
  fc.assert(
    fc.property(lengths, (texts) => {
      for (const group of groupByLength(texts, 12).filter((places) => places.length > 1)) {
        const chosen = group.map((at) => texts[at] ?? 0);
        const longest = Math.max(...chosen);
        const tokens = chosen.reduce((sum, length) => sum + length, 0);
        expect(longest * chosen.length - tokens).toBeLessThanOrEqual(Math.max(256, tokens / 2));
        expect(longest ** 2 * 12 * chosen.length * 4).toBeLessThanOrEqual(64 << 20);
      }
    }),
  );
});

test('short texts stay together, however their lengths differ', () => {
  expect(groupByLength([3, 40, 5, 20], 12)).toEqual([[1, 3, 2, 0]]);
});

test('texts of one length stay together', () => {
  expect(groupByLength([50, 50, 50, 50], 12)).toEqual([[0, 1, 2, 3]]);
});

test('one long text does not make places for the short ones beside it', () => {
  expect(groupByLength([8, 500, 9, 8], 12)).toEqual([[1], [2, 0, 3]]);
});
