// Owns the sharing of one device's cost: its rate, what was charged, and what of that no interval has held yet.
import type { Charge, Settled } from './charge.ts';
import { energyJoules, energyUsd, hardwareUsd, type DevicePrices } from './formulas.ts';

export interface Interval {
  readonly intervalMs: number;
  readonly watts: number;
  readonly prices: DevicePrices;
  /** Part of the hardware's price that this device bears, 0 to 1. */
  readonly hardwareShare: number;
}

/** Cost of one ms of the device. */
interface Rate {
  readonly joules: number;
  readonly energyUsd: number;
  readonly hardwareUsd: number;
}

/** How far back the use of the device by several processes at once is looked at, as a decay time. */
const MEMORY_MS = 60_000;

export class DeviceAccount {
  #rate: Rate;
  /** What part of the rate one ms of charged device time bears, 0 to 1: below 1 while processes share the device. */
  #shareOfRate = 1;
  #chargedMs = 0;
  /** Time charged for each ms that passed: an exponentially weighted mean over `MEMORY_MS`. */
  #load = 0;
  #carriedUsd = 0;
  #carriedMs = 0;
  #serves = false;

  constructor(prices: DevicePrices) {
    this.#rate = rateOf({ intervalMs: 0, watts: 0, prices, hardwareShare: 1 });
  }

  get carriedUsd(): number {
    return this.#carriedUsd;
  }

  /** It was charged at least once. */
  get serves(): boolean {
    return this.#serves;
  }

  charge(deviceMs: number): Charge {
    const ms = Number.isFinite(deviceMs) ? Math.max(0, deviceMs) : 0;
    const paidMs = ms * this.#shareOfRate;
    const charge = {
      deviceMs: ms,
      energyJoules: this.#rate.joules * paidMs,
      energyUsd: this.#rate.energyUsd * paidMs,
      hardwareUsd: this.#rate.hardwareUsd * paidMs,
    };
    this.#serves = true;
    this.#chargedMs += ms;
    this.#carriedMs += paidMs;
    this.#carriedUsd += charge.energyUsd + charge.hardwareUsd;
    return charge;
  }

  settle(interval: Interval): Settled {
    this.#rate = rateOf(interval);
    const totalUsd = (this.#rate.energyUsd + this.#rate.hardwareUsd) * interval.intervalMs;
    const busyUsd = Math.min(this.#carriedUsd, totalUsd);
    const busyMs = Math.min(this.#carriedMs, interval.intervalMs);
    this.#carriedUsd -= busyUsd;
    this.#carriedMs -= busyMs;
    this.#shareOfRate = this.#shareAfter(interval.intervalMs);
    return { busyUsd, idleUsd: totalUsd - busyUsd, busyMs };
  }

  /**
   * NOTE: Time that is charged faster than it passes, on average over the memory, lowers the rate so that the device's cost is split
   * and not multiplied; what is carried counts too, so that it drains. One late charge of some seconds changes nothing.
   */
  #shareAfter(intervalMs: number): number {
    if (intervalMs === 0) return this.#shareOfRate;
    const weight = 1 - Math.exp(-intervalMs / MEMORY_MS);
    this.#load += weight * (this.#chargedMs / intervalMs - this.#load);
    this.#chargedMs = 0;
    return 1 / Math.max(1, this.#load + this.#carriedMs / MEMORY_MS);
  }
}

function rateOf(interval: Interval): Rate {
  const joules = energyJoules(interval.watts, 1);
  return {
    joules,
    energyUsd: energyUsd(joules, interval.prices),
    hardwareUsd: hardwareUsd(1, interval.prices) * interval.hardwareShare,
  };
}
