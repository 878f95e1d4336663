// The formulas of cost, as DESIGN.md states them. Pure; money is US dollars.
import type { CostSettings, UpstreamPrice } from '../../contract.ts';

const JOULES_PER_KWH = 3_600_000;
const MS_PER_YEAR = 365.25 * 24 * 3_600_000;
const TOKENS_PER_MILLION = 1_000_000;

export type EnergyPrice = Pick<CostSettings, 'tariffUsdPerKwh'>;
export type HardwarePrice = Pick<CostSettings, 'hardwarePriceUsd' | 'hardwareLifeYears'>;
/** What the cost of device time depends on. */
export type DevicePrices = EnergyPrice & HardwarePrice;

/** Energy of `watts` over `ms`, in joules. */
export function energyJoules(watts: number, ms: number): number {
  return (watts * ms) / 1000;
}

/** Energy times tariff; 1 kWh is 3.6 MJ. */
export function energyUsd(joules: number, prices: EnergyPrice): number {
  return (joules / JOULES_PER_KWH) * prices.tariffUsdPerKwh;
}

/** The machine's price spread evenly over its life (straight-line depreciation), for `ms` of it; years of 365.25 days. A life of 0: none. */
export function hardwareUsd(ms: number, prices: HardwarePrice): number {
  return prices.hardwareLifeYears > 0 ? (prices.hardwarePriceUsd * ms) / (prices.hardwareLifeYears * MS_PER_YEAR) : 0;
}

/** What these tokens cost at a price list. */
export function upstreamUsd(promptTokens: number, completionTokens: number, price: UpstreamPrice): number {
  return (promptTokens * price.promptUsdPerMillion + completionTokens * price.completionUsdPerMillion) / TOKENS_PER_MILLION;
}

/** What the premium model would have cost for the same tokens; null when no premium price is set. */
export function premiumUsd(promptTokens: number, completionTokens: number, price: UpstreamPrice | null): number | null {
  return price === null ? null : upstreamUsd(promptTokens, completionTokens, price);
}

/** The price that the settings call premium; null when none of the list has that name. */
export function premiumPrice(settings: Pick<CostSettings, 'premium' | 'upstreamPrices'>): UpstreamPrice | null {
  return settings.upstreamPrices.find((price) => price.name === settings.premium) ?? null;
}

/** `1 - costUsd / premiumUsd`, 0 to 1: a request that costs more than premium saves nothing. Null when premium would have cost nothing. */
export function savedShare(costUsd: number, premiumCostUsd: number): number | null {
  return premiumCostUsd > 0 ? Math.max(0, 1 - costUsd / premiumCostUsd) : null;
}

/** Null without any. */
export function meanUsd(usd: number, count: number): number | null {
  return count > 0 ? usd / count : null;
}

/** Cost of a response over its quality (0 to 1); null while quality is not measured, and where it is 0. */
export function perQualityAdjustedUsd(perRequestUsd: number | null, quality: number | null): number | null {
  return perRequestUsd === null || quality === null || quality <= 0 ? null : perRequestUsd / quality;
}
