// Decides whether the user's conditions let batches run now: time of day, mains power, temperature, price of electricity. Pure.
import type { BatchSettings, DaySpan } from '../../contract.ts';

export interface Surroundings {
  /** Of the local day, 0 to 1439. */
  readonly minuteOfDay: number;
  /** Null: this machine does not tell. */
  readonly isOnMains: boolean | null;
  /** Of the hottest device; null: unknown. */
  readonly celsius: number | null;
  /** Where no other tariff holds. */
  readonly usdPerKwh: number;
}

export type Permission = { readonly kind: 'granted' } | { readonly kind: 'refused'; readonly reason: string };

/** What is unknown refuses nothing. */
export function decidePermission(settings: BatchSettings, around: Surroundings): Permission {
  const { windows, mainsOnly, maxCelsius, maxUsdPerKwh } = settings;
  const minute = around.minuteOfDay;
  if (windows.length > 0 && !windows.some((span) => isWithin(span, minute)))
    return refused(`Batches run between ${windows.map(({ from, to }) => `${from} and ${to}`).join(', ')}.`);
  if (mainsOnly && around.isOnMains === false) return refused('The machine runs on its battery.');
  if (maxCelsius !== null && around.celsius !== null && around.celsius > maxCelsius)
    return refused(`The machine is at ${Math.round(around.celsius)} °C, above ${maxCelsius} °C.`);
  const usdPerKwh = settings.tariffs.find((span) => isWithin(span, minute))?.usdPerKwh ?? around.usdPerKwh;
  if (maxUsdPerKwh !== null && usdPerKwh > maxUsdPerKwh)
    return refused(`Electricity costs $${usdPerKwh} per kWh now, above $${maxUsdPerKwh}.`);
  return { kind: 'granted' };
}

/** The begin is part of a span, the end is not; a span that ends where it begins is the whole day. */
function isWithin({ from, to }: DaySpan, minute: number): boolean {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  return begin < end ? minute >= begin && minute < end : minute >= begin || minute < end;
}

function minutesOf(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

function refused(reason: string): Permission {
  return { kind: 'refused', reason };
}
