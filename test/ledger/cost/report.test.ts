import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finishCostReport, type CostInput, type CostSums } from '../../../engine/ledger/cost/report.ts';
import { DEFAULT_SETTINGS } from '../../../engine/ledger/settings/defaults.ts';

const ROW: CostSums = {
  group: 'mill',
  requests: 10,
  promptTokens: 1500,
  completionTokens: 500,
  deviceSeconds: 7200,
  energyWh: 100,
  energyUsd: 0.03,
  hardwareUsd: 0.05,
  upstreamUsd: 0.02,
  premiumUsd: 0.4,
};

function report(change: Partial<CostInput> = {}) {
  return finishCostReport({
    range: { fromMs: 0, toMs: 86_400_000 },
    by: 'model',
    rows: [ROW],
    idleUsd: 0.5,
    powerMeasuredShare: 0,
    quality: { kind: 'not_measured' },
    settings: { ...DEFAULT_SETTINGS.cost, rentPrices: [{ name: 'T4', usdPerHour: 0.5 }] },
    ...change,
  });
}

describe('the cost report', () => {
  test('adds up rows, devices and means', () => {
    const { rows, total } = report({ rows: [ROW, { ...ROW, group: 'other' }] });
    expect(rows[0]?.costUsd).toBeCloseTo(0.1, 12);
    expect(total.costUsd).toBeCloseTo(0.2, 12);
    expect(total.devicesUsd).toBeCloseTo(0.06 + 0.1 + 0.5, 12);
    expect(total.perRequestUsd).toBeCloseTo(0.01, 12);
    expect(total.per1kTokensUsd).toBeCloseTo(0.05, 12);
    expect(total.savedShare).toBeCloseTo(0.75, 12);
    expect(total.rented).toEqual([{ name: 'T4', usd: 2 }]);
    expect(total).not.toHaveProperty('group');
  });

  test('says nothing of means without requests, and still has the idle cost', () => {
    const { total } = report({ rows: [] });
    expect(total).toMatchObject({
      requests: 0,
      perRequestUsd: null,
      per1kTokensUsd: null,
      savedShare: null,
      idleUsd: 0.5,
      devicesUsd: 0.5,
    });
  });

  test('divides by quality once it is measured', () => {
    expect(report().total.perQualityAdjustedResponseUsd).toBeNull();
    const measured = report({ quality: { kind: 'measured', mean: 0.5, plusMinus: 0.1, graded: 20 } });
    expect(measured.total.perQualityAdjustedResponseUsd).toBeCloseTo(0.02, 12);
  });

  test('is the same whatever the grouping', () => {
    const sums = fc.record({ energyUsd: fc.double({ min: 0, max: 9, noNaN: true }), requests: fc.nat(99) });
    fc.assert(
      fc.property(fc.array(sums, { maxLength: 20 }), fc.nat(20), (all, cut) => {
        const rows = all.map((sum) => ({ ...ROW, ...sum }));
        const parts = [rows.slice(0, cut), rows.slice(cut)].map((part) => report({ rows: part }).total);
        const whole = report({ rows }).total;
        expect(parts.reduce((sum, part) => sum + part.costUsd, 0)).toBeCloseTo(whole.costUsd, 9);
        expect(parts.reduce((sum, part) => sum + part.requests, 0)).toBe(whole.requests);
      }),
    );
  });

  test.each([
    [null, 'No power was recorded'],
    [0, 'Power was estimated between 40 W idle and 120 W busy'],
    [0.001, 'in 1% of the readings'],
    [0.999, 'in 99% of the readings'],
    [1, 'Power was read from the machine.'],
  ])('says where power comes from (measured share %s)', (share, sentence) => {
    expect(report({ powerMeasuredShare: share }).basis[0]).toContain(sentence);
  });

  test('names the prices, or that they are missing', () => {
    expect(report().basis.join(' ')).toContain('$0.3 per kWh');
    const bare = report({ settings: { ...DEFAULT_SETTINGS.cost, hardwarePriceUsd: 0, premium: 'gone' } }).basis.join(' ');
    expect(bare).toContain('The hardware counts for nothing');
    expect(bare).toContain('No premium price is set');
  });
});
