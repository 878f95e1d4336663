// Owns what one request has cost so far, and whether more is to come: device time is told in increments, the last of them after a cancel.
// Knows nothing about models or HTTP.
import type { Charging } from '../../fleet/host.ts';
import { NO_CHARGE, type Accounting, type Charge } from './accounting.ts';

export class RequestCost {
  readonly #accounting: Accounting;
  readonly #device: () => string;
  #sum: Charge = NO_CHARGE;
  #upstreamUsd = 0;
  #isClosed = false;
  /** Pieces of work that may still use device time. */
  #open = 0;
  #whenSettled: (() => void) | null = null;

  constructor(accounting: Accounting, device: () => string) {
    this.#accounting = accounting;
    this.#device = device;
  }

  get sum(): Charge {
    return this.#sum;
  }

  /** What upstream models have charged. */
  get upstreamUsd(): number {
    return this.#upstreamUsd;
  }

  /** What the host is given with a new piece of work. The host settles what was cancelled; whoever sees other work end settles it. */
  open(): Required<Charging> {
    this.#open++;
    let isSettled = false;
    const onSettled = (): void => {
      if (isSettled) return;
      isSettled = true;
      this.#open--;
      this.#tell();
    };
    const onUpstreamUsd = (usd: number): void => {
      if (!this.#isClosed) this.#upstreamUsd += usd;
    };
    return { onCharge: (deviceMs) => this.#add(deviceMs), onUpstreamUsd, onSettled };
  }

  /** Calls back once no more device time is to be told; at once where that is so already. */
  whenSettled(settled: () => void): void {
    this.#whenSettled = settled;
    this.#tell();
  }

  /** The final sum. Device time that is told later is nobody's: it counts as idle. */
  close(): Charge {
    this.#isClosed = true;
    return this.#sum;
  }

  #add(deviceMs: number): void {
    if (this.#isClosed) return;
    const { energyJoules, energyUsd, hardwareUsd } = this.#accounting.charge(this.#device(), deviceMs);
    this.#sum = {
      deviceMs: this.#sum.deviceMs + deviceMs,
      energyJoules: this.#sum.energyJoules + energyJoules,
      energyUsd: this.#sum.energyUsd + energyUsd,
      hardwareUsd: this.#sum.hardwareUsd + hardwareUsd,
    };
  }

  #tell(): void {
    if (this.#open === 0) this.#whenSettled?.();
  }
}
