// What things cost: the figures beside quality, and the Cost screen. All money is US dollars.
import type { TimeRange } from './history.ts';

/** Quality of answers relative to the premium model. Never a number that nobody measured. */
export type QualityNow =
  | { readonly kind: 'not_measured' }
  | {
      readonly kind: 'measured';
      /** 0 to 1 */ readonly mean: number;
      /** Half of the 95% interval. */ readonly plusMinus: number;
      readonly graded: number;
    };

/** The last 24 hours, and the current rates. */
export interface CostNow {
  readonly requests: number;
  /** Mean of the requests; null without any. */
  readonly perRequestUsd: number | null;
  readonly busyUsd: number;
  readonly idleUsd: number;
  readonly upstreamUsd: number;
  /** What the premium price would have been for the same tokens. */
  readonly premiumUsd: number;
  /** `1 - (busy + upstream) / premium`, at least 0; null without requests. */
  readonly savedShare: number | null;
  /** False while power or prices are estimates. */
  readonly measured: boolean;
}

export type CostGroup = 'model' | 'key' | 'endpoint' | 'day';

/** `GET /api/cost?from=&to=&by=` */
export interface CostReport {
  readonly range: TimeRange;
  readonly by: CostGroup;
  readonly rows: readonly CostRow[];
  readonly total: CostTotal;
  readonly quality: QualityNow;
  /** In words: where power comes from, the tariff, the hardware's price and life. */
  readonly basis: readonly string[];
}

export interface CostRow {
  /** Model id, key, endpoint, or the day as `2026-11-24`. */
  readonly group: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly deviceSeconds: number;
  readonly energyWh: number;
  readonly energyUsd: number;
  readonly hardwareUsd: number;
  readonly upstreamUsd: number;
  /** Sum of the three above. */
  readonly costUsd: number;
  readonly premiumUsd: number;
}

export interface CostTotal extends Omit<CostRow, 'group'> {
  /** Cost of the time in which nothing ran: never part of a request's cost. */
  readonly idleUsd: number;
  /** `energyUsd + hardwareUsd + idleUsd`: what the devices cost over the range. */
  readonly devicesUsd: number;
  readonly perRequestUsd: number | null;
  readonly per1kTokensUsd: number | null;
  readonly savedShare: number | null;
  /** `perRequestUsd / quality`; null while quality is not measured. */
  readonly perQualityAdjustedResponseUsd: number | null;
  /** The same device hours rented: what each priced GPU would have cost. */
  readonly rented: readonly { readonly name: string; readonly usd: number }[];
}
