// How a point says what it found, and numbers as its sentences write them. Pure.
import type { CheckAction, CheckItem, CheckPoint, CheckState } from '../contract.ts';
import type { SettingsPatch } from '../ledger/ledger.ts';

/** What one click does. `undo` takes it back. */
export type Mend =
  | {
      readonly kind: 'settings';
      readonly label: string;
      readonly done: string;
      readonly patch: SettingsPatch;
      readonly undo: SettingsPatch;
    }
  | { readonly kind: 'drill'; readonly label: string }
  | { readonly kind: 'load_test'; readonly label: string };

/** A point as its own function finds it. */
export interface Finding {
  readonly state: CheckState;
  readonly figure: string;
  readonly sentence: string;
  readonly remedy: Mend | Exclude<CheckAction, { kind: 'mend' }> | null;
}

export function itemOf(point: CheckPoint, title: string, { state, figure, sentence, remedy }: Finding): CheckItem {
  return { point, title, state, figure, sentence, action: actionOf(remedy) };
}

/** What one click does; null where it takes more. */
export function mendOf({ remedy }: Finding): Mend | null {
  return remedy === null || remedy.kind === 'open' || remedy.kind === 'advice' ? null : remedy;
}

function actionOf(remedy: Finding['remedy']): CheckAction | null {
  if (remedy === null || remedy.kind === 'open' || remedy.kind === 'advice') return remedy;
  return { kind: 'mend', label: remedy.label };
}

/** `71%`, `0.4%` */
export function percent(share: number): string {
  const value = share * 100;
  return `${value !== 0 && Math.abs(value) < 10 ? Number(value.toFixed(1)) : value.toFixed(0)}%`;
}

/** `1.24 GB`, `310 MB`; powers of ten. */
export function bytes(count: number): string {
  return count >= 1e9 ? `${Number((count / 1e9).toPrecision(3))} GB` : `${Math.round(count / 1e6)} MB`;
}

/** `$1.20`, `$0.0042` */
export function usd(amount: number): string {
  if (amount === 0) return '$0';
  return amount >= 1
    ? `$${amount.toFixed(2)}`
    : `$${Number(amount.toPrecision(2)).toFixed(Math.min(12, 1 - Math.floor(Math.log10(amount))))}`;
}

/** `1 model`, `3 models` */
export const count = (number: number, noun: string): string => `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

const DAY_MS = 86_400_000;
/** Whole days since then. */
export const daysSince = (thenMs: number, nowMs: number): number => Math.max(0, Math.floor((nowMs - thenMs) / DAY_MS));
/** `today`, `1 day ago`, `12 days ago` */
export function ago(thenMs: number, nowMs: number): string {
  const days = daysSince(thenMs, nowMs);
  return days === 0 ? 'today' : `${count(days, 'day')} ago`;
}
