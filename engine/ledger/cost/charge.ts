// The shape of what a request is charged, and of an interval that is closed. Money is US dollars.

/** A request's share of a device, just charged. `deviceMs` is as it was reported. */
export interface Charge {
  readonly deviceMs: number;
  readonly energyJoules: number;
  readonly energyUsd: number;
  readonly hardwareUsd: number;
}

/** An interval, closed. `busyUsd + idleUsd` is what the devices cost over it. */
export interface Settled {
  readonly busyUsd: number;
  readonly idleUsd: number;
  /** Device time that was charged; at most the interval's length times the number of devices. */
  readonly busyMs: number;
}

export const NO_CHARGE: Charge = { deviceMs: 0, energyJoules: 0, energyUsd: 0, hardwareUsd: 0 };

/** The sum of two charges, such as those of one request. */
export function addCharges(a: Charge, b: Charge): Charge {
  return {
    deviceMs: a.deviceMs + b.deviceMs,
    energyJoules: a.energyJoules + b.energyJoules,
    energyUsd: a.energyUsd + b.energyUsd,
    hardwareUsd: a.hardwareUsd + b.hardwareUsd,
  };
}
