import { describe, expect, test } from 'vitest';
import {
  energyJoules,
  energyUsd,
  hardwareUsd,
  meanUsd,
  perQualityAdjustedUsd,
  premiumPrice,
  premiumUsd,
  savedShare,
} from '../../../engine/ledger/cost/formulas.ts';

const GPT = { name: 'big', promptUsdPerMillion: 2.5, completionUsdPerMillion: 10 };

describe('device time', () => {
  test('100 W for an hour are 0.1 kWh', () => {
    expect(energyJoules(100, 3_600_000)).toBe(360_000);
    expect(energyUsd(360_000, { tariffUsdPerKwh: 0.3 })).toBeCloseTo(0.03, 12);
  });

  test('a whole life of the hardware costs its price, and no life costs nothing', () => {
    expect(hardwareUsd(4 * 365.25 * 86_400_000, { hardwarePriceUsd: 1500, hardwareLifeYears: 4 })).toBeCloseTo(1500, 9);
    expect(hardwareUsd(1000, { hardwarePriceUsd: 1500, hardwareLifeYears: 0 })).toBe(0);
  });
});

describe('the comparison with premium', () => {
  test('prices prompt and completion tokens apart', () => {
    expect(premiumUsd(1_000_000, 500_000, GPT)).toBeCloseTo(7.5, 12);
    expect(premiumUsd(1, 1, null)).toBeNull();
  });

  test('finds the price by its name', () => {
    expect(premiumPrice({ premium: 'big', upstreamPrices: [GPT] })).toBe(GPT);
    expect(premiumPrice({ premium: 'gone', upstreamPrices: [GPT] })).toBeNull();
  });

  test('saves the rest of the premium cost, never less than nothing', () => {
    expect(savedShare(0.25, 1)).toBe(0.75);
    expect(savedShare(2, 1)).toBe(0);
    expect(savedShare(0, 0)).toBeNull();
  });
});

describe('means', () => {
  test('do not exist without requests or quality', () => {
    expect(meanUsd(1, 0)).toBeNull();
    expect(meanUsd(1, 4)).toBe(0.25);
    expect(perQualityAdjustedUsd(0.1, null)).toBeNull();
    expect(perQualityAdjustedUsd(0.1, 0)).toBeNull();
    expect(perQualityAdjustedUsd(null, 1)).toBeNull();
    expect(perQualityAdjustedUsd(0.09, 0.9)).toBeCloseTo(0.1, 12);
  });
});
