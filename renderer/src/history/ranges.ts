// Ranges of time as the place's query names them: `range=24h`, or `from` and `to` in ms. Pure.
import type { TimeRange } from '../../../engine/contract.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const PRESETS = {
  '1h': { label: '1 h', lengthMs: HOUR_MS },
  '24h': { label: '24 h', lengthMs: DAY_MS },
  '7d': { label: '7 days', lengthMs: 7 * DAY_MS },
  '30d': { label: '30 days', lengthMs: 30 * DAY_MS },
  '1y': { label: '1 year', lengthMs: 365 * DAY_MS },
} as const;
export type PresetName = keyof typeof PRESETS;

export type RangeChoice = { readonly kind: 'preset'; readonly name: PresetName } | { readonly kind: 'fixed'; readonly range: TimeRange };

const isPreset = (name: string | null): name is PresetName => name !== null && Object.hasOwn(PRESETS, name);

/** `fallback` where the query says nothing that makes sense. */
export function readChoice(query: URLSearchParams, fallback: PresetName): RangeChoice {
  const [fromMs, toMs] = [Number(query.get('from') ?? NaN), Number(query.get('to') ?? NaN)];
  if (Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs < toMs) return { kind: 'fixed', range: { fromMs, toMs } };
  const name = query.get('range');
  return { kind: 'preset', name: isPreset(name) ? name : fallback };
}

/** Ends of presets move on whole steps, so that asking twice within one is asking the same. */
const GRAIN_MS = 60_000;

/** A preset ends with the minute that has begun. */
export function rangeOf(choice: RangeChoice, nowMs: number): TimeRange {
  if (choice.kind === 'fixed') return choice.range;
  const toMs = Math.ceil(nowMs / GRAIN_MS) * GRAIN_MS;
  return { fromMs: toMs - PRESETS[choice.name].lengthMs, toMs };
}

/** `2026-11-24T14:03`, in the reader's time zone, for an input of dates. */
export function toInputTime(atMs: number): string {
  const local = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** Null when it is not a time. */
export function fromInputTime(text: string): number | null {
  const atMs = new Date(text).getTime();
  return Number.isNaN(atMs) ? null : atMs;
}
