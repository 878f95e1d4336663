// Turns summed requests and idle cost into the Cost screen's report. Pure; money is US dollars.
import type { CostGroup, CostReport, CostRow, CostSettings, CostTotal, QualityNow, TimeRange } from '../../contract.ts';
import { meanUsd, perQualityAdjustedUsd, savedShare } from './formulas.ts';

/** Sums over the requests of one group. A request without a premium price adds 0 to `premiumUsd`. */
export type CostSums = Omit<CostRow, 'costUsd'>;

export interface CostInput {
  readonly range: TimeRange;
  readonly by: CostGroup;
  readonly rows: readonly CostSums[];
  /** Idle cost of all devices over the range, summed from the samples. */
  readonly idleUsd: number;
  /** Part of the range's device samples whose power was read from the machine, 0 to 1; null without samples. */
  readonly powerMeasuredShare: number | null;
  readonly quality: QualityNow;
  /** As they are now; past requests keep the prices of their time. */
  readonly settings: CostSettings;
}

/** The report, rows in the order given. */
export function finishCostReport(input: CostInput): CostReport {
  const { range, by, quality } = input;
  return { range, by, rows: input.rows.map(finishRow), total: finishTotal(input), quality, basis: basisSentences(input) };
}

function finishRow(sums: CostSums): CostRow {
  return { ...sums, costUsd: sums.energyUsd + sums.hardwareUsd + sums.upstreamUsd };
}

function finishTotal(input: CostInput): CostTotal {
  const { group: _, ...sums } = finishRow(input.rows.reduce(addSums, NO_SUMS));
  const tokens = sums.promptTokens + sums.completionTokens;
  const perRequestUsd = meanUsd(sums.costUsd, sums.requests);
  return {
    ...sums,
    idleUsd: input.idleUsd,
    devicesUsd: sums.energyUsd + sums.hardwareUsd + input.idleUsd,
    perRequestUsd,
    per1kTokensUsd: meanUsd(sums.costUsd * 1000, tokens),
    savedShare: sums.requests === 0 ? null : savedShare(sums.costUsd, sums.premiumUsd),
    perQualityAdjustedResponseUsd: perQualityAdjustedUsd(perRequestUsd, input.quality.kind === 'measured' ? input.quality.mean : null),
    rented: input.settings.rentPrices.map(({ name, usdPerHour }) => ({ name, usd: (sums.deviceSeconds / 3600) * usdPerHour })),
  };
}

const NO_SUMS: CostSums = {
  group: '',
  requests: 0,
  promptTokens: 0,
  completionTokens: 0,
  deviceSeconds: 0,
  energyWh: 0,
  energyUsd: 0,
  hardwareUsd: 0,
  upstreamUsd: 0,
  premiumUsd: 0,
};

function addSums(a: CostSums, b: CostSums): CostSums {
  return {
    group: '',
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    deviceSeconds: a.deviceSeconds + b.deviceSeconds,
    energyWh: a.energyWh + b.energyWh,
    energyUsd: a.energyUsd + b.energyUsd,
    hardwareUsd: a.hardwareUsd + b.hardwareUsd,
    upstreamUsd: a.upstreamUsd + b.upstreamUsd,
    premiumUsd: a.premiumUsd + b.premiumUsd,
  };
}

/** What the figures rest on, one plain sentence for each thing. */
function basisSentences({ settings, powerMeasuredShare }: CostInput): readonly string[] {
  return [
    powerSentence(settings, powerMeasuredShare),
    `Energy costs $${settings.tariffUsdPerKwh} per kWh.`,
    hardwareSentence(settings),
    'A request pays for its share of the device time it used; time in which nothing ran is the idle cost.',
    premiumSentence(settings),
    'Rented: the busy device hours at each hourly price, as if the rented device were as fast and never idle.',
    'Prices are those in force when a request ran; a changed setting counts from then on.',
  ];
}

function powerSentence({ idleWatts, busyWatts }: CostSettings, measuredShare: number | null): string {
  const estimate = `estimated between ${idleWatts} W idle and ${busyWatts} W busy, by utilisation`;
  if (measuredShare === null) return `No power was recorded in this range; where it cannot be read it is ${estimate}.`;
  if (measuredShare >= 1) return 'Power was read from the machine.';
  if (measuredShare <= 0) return `Power was ${estimate}: this machine does not tell it.`;
  return `Power was read from the machine in ${percent(measuredShare)} of the readings and ${estimate}, in the others.`;
}

/** Never 0% or 100% for a part. */
function percent(share: number): string {
  return `${Math.min(99, Math.max(1, Math.round(share * 100)))}%`;
}

function hardwareSentence({ hardwarePriceUsd, hardwareLifeYears }: CostSettings): string {
  if (hardwarePriceUsd === 0 || hardwareLifeYears === 0) return 'The hardware counts for nothing: no price or life is set.';
  return `The hardware costs $${hardwarePriceUsd}, spread evenly over ${hardwareLifeYears} years and over the devices that run models.`;
}

function premiumSentence({ premium, upstreamPrices }: CostSettings): string {
  const price = upstreamPrices.find(({ name }) => name === premium);
  if (price === undefined) return 'No premium price is set, so nothing is compared with it.';
  return `Premium is ${price.name}: $${price.promptUsdPerMillion} per million prompt tokens and $${price.completionUsdPerMillion} per million completion tokens.`;
}
