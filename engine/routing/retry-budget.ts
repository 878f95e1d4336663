// Owns how many requests may be put to a second target: a share of all, so that a fault of everything does not multiply the load.

/** Retries that each request adds to what may be spent. */
const SHARE = 0.2;
const MOST = 20;

export class RetryBudget {
  #left = MOST;

  request(): void {
    this.#left = Math.min(MOST, this.#left + SHARE);
  }

  /** False when too many requests have been retried lately. */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
