// The table: medians, spread, ratios and verdicts.
import { describe, expect, it } from 'vitest';
import { Figures, meetsGoal, ratio } from './figure.ts';
import { renderTable } from './report.ts';
import { percentile } from './statistics.ts';

function figure(ours: readonly number[], peer: readonly number[], goals: object, better: 'higher' | 'lower' = 'higher') {
  const figures = new Figures('part');
  for (const value of ours) figures.add('ours', value, { name: 'speed', unit: 'tok/s', better, ...goals });
  for (const value of peer) figures.add('peer', value, { name: 'speed', unit: 'tok/s', better, ...goals });
  const [first] = figures.list();
  if (first === undefined) throw new Error('no figure');
  return first;
}

describe('figures', () => {
  it('compare medians', () => {
    expect(ratio(figure([10, 300, 20], [10, 9, 11], {}))).toBe(2);
    expect(ratio(figure([10], [], {}))).toBeNull();
  });

  it.each([
    [figure([20], [10], { ratioGoal: 2 }), true],
    [figure([19], [10], { ratioGoal: 2 }), false],
    [figure([4], [10], { ratioGoal: 0.4 }, 'lower'), true],
    [figure([5], [10], { ratioGoal: 0.4 }, 'lower'), false],
    [figure([5], [], { ratioGoal: 2 }), null],
    [figure([5], [], {}), null],
    [figure([21], [1], { valueGoal: 20 }, 'lower'), false],
    [figure([19], [], { valueGoal: 20 }, 'lower'), true],
    [figure([], [1], { valueGoal: 20 }, 'lower'), null],
    [figure([Number.NaN], [10], { ratioGoal: 2 }), null],
  ])('judge by the right number (%#)', (subject, verdict) => {
    expect(meetsGoal(subject)).toBe(verdict);
  });

  it('become rows of a Markdown table', () => {
    const rows = renderTable([figure([100, 120, 110], [50], { ratioGoal: 2 }), figure([3.456], [], {})]).split('\n');
    expect(rows[2]).toBe('| part | speed, tok/s | 110 [100–120] | 50 | 2.20× | ≥ 2× | yes |');
    expect(rows[3]).toBe('| part | speed, tok/s | 3.46 | – | – |  |  |');
  });
});

describe('percentile', () => {
  it('lies between neighbours', () => {
    expect(percentile([4, 1, 3, 2], 50)).toBe(2.5);
    expect(percentile([1, 2], 95)).toBeCloseTo(1.95);
    expect(percentile([], 50)).toBeNaN();
  });
});
