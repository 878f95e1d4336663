// Owns the device time of one runner: how long its steps took, and which requests each step's time belongs to.
// Knows nothing about what a step computes. Times are whole multiples of 2^-20 ms, so that sums are exact in any order.
import type { Charge } from './protocol.ts';

/** What a step's time is shared among. */
export interface Payer {
  readonly id: number;
  /** All of its shares. */
  deviceMs: number;
  /** The part of `deviceMs` that has been told. */
  toldMs: number;
}

const TICKS_PER_MS = 2 ** 20;

/** `ms` in parts proportional to `weights`, which add up to it exactly (to the nearest 2^-20 ms). */
export function shareTime(ms: number, weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const ticks = Math.round(ms * TICKS_PER_MS);
  let before = 0;
  let given = 0;
  return weights.map((weight) => {
    before += weight;
    const until = Math.round((ticks * before) / total);
    const share = until - given;
    given = until;
    return share / TICKS_PER_MS;
  });
}

/** What each of these has used and was not told of yet; from now on it is told. */
export function takeCharges(payers: Iterable<Payer>): readonly Charge[] {
  const charges: Charge[] = [];
  for (const payer of payers) {
    const deviceMs = payer.deviceMs - payer.toldMs;
    payer.toldMs = payer.deviceMs;
    if (deviceMs > 0) charges.push({ id: payer.id, deviceMs });
  }
  return charges;
}

interface DecodeCounts {
  readonly decodeSteps: number;
  /** Over all of them the sequences that took part. */
  readonly decodeTokens: number;
}

/** Sequences of a decode step on average between two readings of the counters; null without one. */
export function meanBatchSince(before: DecodeCounts, now: DecodeCounts): number | null {
  const steps = now.decodeSteps - before.decodeSteps;
  return steps === 0 ? null : (now.decodeTokens - before.decodeTokens) / steps;
}

export class DeviceTime {
  #busyMs = 0;

  /** Sum of all steps. When the process dies, what requests were not told of yet is lost: the cost meter counts it as idle. */
  get busyMs(): number {
    return this.#busyMs;
  }

  /** A step of `ms` in which each payer takes part with one token for each time it is named. */
  spend(ms: number, payers: readonly Payer[]): void {
    const shares = shareTime(
      ms,
      payers.map(() => 1),
    );
    payers.forEach((payer, at) => {
      const share = shares[at] ?? 0;
      payer.deviceMs += share;
      this.#busyMs += share;
    });
  }
}
