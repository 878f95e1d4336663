// Decides what a key's budget still allows. Days and months are of UTC. Pure.
import type { KeyLimits } from '../contract.ts';

/** What a key has spent, in the periods that `day` and `month` name. */
export interface Spend {
  /** `2026-11-24` */
  readonly day: string;
  /** `2026-11` */
  readonly month: string;
  readonly todayUsd: number;
  readonly monthUsd: number;
}

export const NOTHING_SPENT: Spend = { day: '', month: '', todayUsd: 0, monthUsd: 0 };

/** From this share of a budget on that counts local cost, the cheapest model answers. */
const DEGRADED_SHARE = 0.8;

export interface BudgetDecision {
  /** Money left for upstream models; null: no limit. */
  readonly upstreamUsdLeft: number | null;
  /** The cheapest model should answer from now on. */
  readonly isDegraded: boolean;
  /** Nothing may run any more until then; null: requests run. Money spent upstream never keeps a request from a local model. */
  readonly blocked: { readonly limit: 'dailyUsd' | 'monthlyUsd'; readonly untilMs: number } | null;
}

/** As far as it belongs to the present day and month. */
export function spendAt(spend: Spend, nowMs: number): Spend {
  const day = new Date(nowMs).toISOString().slice(0, 10);
  const month = day.slice(0, 7);
  return {
    day,
    month,
    todayUsd: spend.day === day ? spend.todayUsd : 0,
    monthUsd: spend.month === month ? spend.monthUsd : 0,
  };
}

export function decideBudget(limits: KeyLimits, spend: Spend, nowMs: number): BudgetDecision {
  const now = spendAt(spend, nowMs);
  const both = [
    { name: 'dailyUsd', limit: limits.dailyUsd, spent: now.todayUsd, untilMs: nextDayMs(nowMs) },
    { name: 'monthlyUsd', limit: limits.monthlyUsd, spent: now.monthUsd, untilMs: nextMonthMs(nowMs) },
  ] as const;
  const parts = both.flatMap(({ limit, ...rest }) => (limit === null ? [] : [{ limit, ...rest }]));
  const lefts = parts.map(({ limit, spent }) => Math.max(0, limit - spent));
  // The month ends last.
  const passed = parts.findLast(({ limit, spent }) => spent >= limit);
  return {
    upstreamUsdLeft: lefts.length === 0 ? null : Math.min(...lefts),
    isDegraded: limits.countsLocalCost && parts.some(({ limit, spent }) => spent >= limit * DEGRADED_SHARE),
    blocked: limits.countsLocalCost && passed !== undefined ? { limit: passed.name, untilMs: passed.untilMs } : null,
  };
}

function nextDayMs(nowMs: number): number {
  const at = new Date(nowMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1);
}

function nextMonthMs(nowMs: number): number {
  const at = new Date(nowMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
}
