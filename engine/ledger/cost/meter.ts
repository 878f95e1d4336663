// Owns the exact sharing of what the devices cost: every dollar is charged to a request or counted as idle, once.
// Knows nothing about where power comes from or where samples are kept.
import type { Charge, Settled } from './charge.ts';
import { DeviceAccount } from './device-account.ts';
import type { DevicePrices } from './formulas.ts';

/** Power of one device now. Null watts count as none. */
export interface PowerReading {
  readonly device: string;
  readonly watts: number | null;
}

/** A longer silence was a suspended machine or a stopped process: nobody saw what it used, so it has no cost. */
export const LONGEST_INTERVAL_MS = 5_000;

const NOTHING: Settled = { busyUsd: 0, idleUsd: 0, busyMs: 0 };
/** Takes the charges that come before the first reading. */
const FIRST_DEVICE = 'cpu';

/**
 * Shares the cost of devices among requests.
 *
 * A charge has the rate that the last `settle` found: its watts at the tariff plus the device's part of the hardware's price, which the
 * devices that were ever charged share equally (before the first `settle`: no watts). Where several processes use one device at once, their device times add up to more than the
 * time that passed; the rate is then divided by that excess, as seen over the last minute. A charge is final when it is given.
 *
 * What was charged becomes the busy part of the interval in which it arrives, as far as that interval's cost goes; the rest is
 * carried into the next intervals. So at any time, exactly: what requests were charged = busy parts so far + `carriedUsd`, and
 * busy + idle = cost of the devices. Nothing is negative.
 */
export class CostMeter {
  readonly #prices: () => DevicePrices;
  readonly #accounts = new Map<string, DeviceAccount>();
  /** Devices whose power the last readings held. */
  #powered: ReadonlySet<string> = new Set();
  #lastMs: number | null = null;

  /** `prices` is asked at each settle, so that changed settings count from the next second on. */
  constructor(prices: () => DevicePrices) {
    this.#prices = prices;
    this.#account(FIRST_DEVICE);
  }

  /**
   * The cost of `deviceMs` of a device just used, a request's share of the steps it took part in. A device that is not among the readings
   * (`webgpu` is a way to a device, not one) stands for the first GPU. One without a power of its own, such as graphics in the CPU's
   * chip, is charged as the CPU, whose power has its part in it.
   */
  charge(device: string, deviceMs: number): Charge {
    return this.#accountOf(device).charge(deviceMs);
  }

  /** Closes the interval since the last call with the power read now. The first call opens one. */
  settle(nowMs: number, readings: readonly PowerReading[]): Settled {
    const elapsedMs = this.#lastMs === null ? 0 : nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    const intervalMs = elapsedMs > 0 && elapsedMs <= LONGEST_INTERVAL_MS ? elapsedMs : 0;
    const prices = this.#prices();
    this.#powered = new Set(readings.filter(({ watts }) => watts !== null).map(({ device }) => device));
    const bearers = this.#hardwareBearers(readings);
    return readings
      .map(({ device, watts }) => {
        const hardwareShare = bearers.includes(device) ? 1 / bearers.length : 0;
        return this.#account(device).settle({ intervalMs, watts: watts ?? 0, prices, hardwareShare });
      })
      .reduce(addSettled, NOTHING);
  }

  /** Charged, and not yet part of any interval. */
  get carriedUsd(): number {
    return [...this.#accounts.values()].reduce((sum, account) => sum + account.carriedUsd, 0);
  }

  /** Devices that run models; the first one while none does. A device that only draws the screen should not hide half of the price. */
  #hardwareBearers(readings: readonly PowerReading[]): readonly string[] {
    const devices = readings.map((reading) => reading.device);
    const serving = devices.filter((device) => this.#account(device).serves);
    return serving.length > 0 ? serving : devices.slice(0, 1);
  }

  #accountOf(device: string): DeviceAccount {
    const name = [device, 'gpu0'].find((candidate) => this.#accounts.has(candidate)) ?? FIRST_DEVICE;
    return this.#account(this.#powered.has(name) ? name : FIRST_DEVICE);
  }

  #account(device: string): DeviceAccount {
    const known = this.#accounts.get(device);
    if (known !== undefined) return known;
    const account = new DeviceAccount(this.#prices());
    this.#accounts.set(device, account);
    return account;
  }
}

function addSettled(a: Settled, b: Settled): Settled {
  return { busyUsd: a.busyUsd + b.busyUsd, idleUsd: a.idleUsd + b.idleUsd, busyMs: a.busyMs + b.busyMs };
}
