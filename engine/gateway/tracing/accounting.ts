// Owns the interface through which traces turn device time into money; the meter behind it is another room's.

/** What some device time cost. */
export interface Charge {
  readonly deviceMs: number;
  readonly energyJoules: number;
  readonly energyUsd: number;
  readonly hardwareUsd: number;
}

export const NO_CHARGE: Charge = { deviceMs: 0, energyJoules: 0, energyUsd: 0, hardwareUsd: 0 };

export interface Accounting {
  /** Accounts for device time that a request has just used. */
  charge(device: string, deviceMs: number): Charge;
  /** What the premium model would have cost; null when it has no price. */
  premiumUsd(promptTokens: number, completionTokens: number): number | null;
}

/** For a server that keeps no accounts: time is counted, money is not. */
export const NO_ACCOUNTING: Accounting = {
  charge: (_device, deviceMs) => ({ ...NO_CHARGE, deviceMs }),
  premiumUsd: () => null,
};
