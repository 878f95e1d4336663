// Owns the cost of the last 24 hours, in minutes, for the snapshot. Knows nothing about where finished requests come from.
import type { CostNow } from '../../contract.ts';
import type { Ledger, RequestRecord, Sample } from '../ledger.ts';
import { meanUsd, savedShare } from './formulas.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Sums over some stretch of time. `costUsd` is of the finished requests: their devices and upstreams. */
interface DaySums {
  readonly requests: number;
  readonly costUsd: number;
  readonly upstreamUsd: number;
  readonly premiumUsd: number;
  readonly busyUsd: number;
  readonly idleUsd: number;
}

const NOTHING: DaySums = { requests: 0, costUsd: 0, upstreamUsd: 0, premiumUsd: 0, busyUsd: 0, idleUsd: 0 };

export class LastDay {
  /** By the minute's start, at most a day's. */
  readonly #minutes = new Map<number, DaySums>();

  /** A finished request. It counts from its end on. */
  record(request: RequestRecord): void {
    const { energyUsd, hardwareUsd, upstreamUsd, premiumUsd } = request;
    const costUsd = energyUsd + hardwareUsd + upstreamUsd;
    this.#add(request.atMs + request.totalMs, { ...NOTHING, requests: 1, costUsd, upstreamUsd, premiumUsd: premiumUsd ?? 0 });
  }

  sample({ atMs, busyUsd, idleUsd }: Sample): void {
    this.#add(atMs, { ...NOTHING, busyUsd, idleUsd });
  }

  /**
   * What the ledger still knows of the last day, hour by hour, for a process that has just started: `nowMs` is its start.
   * Rejects with what the ledger throws; the hours read until then count.
   */
  async restore(ledger: Pick<Ledger, 'costs'>, nowMs: number): Promise<void> {
    for (let fromMs = nowMs - DAY_MS; fromMs < nowMs; fromMs += HOUR_MS) {
      const { total } = await ledger.costs({ fromMs, toMs: fromMs + HOUR_MS }, 'endpoint');
      const { requests, costUsd, upstreamUsd, premiumUsd, idleUsd } = total;
      this.#add(fromMs + HOUR_MS / 2, { requests, costUsd, upstreamUsd, premiumUsd, busyUsd: costUsd - upstreamUsd, idleUsd });
    }
  }

  /** The last 24 hours. `measured`: power is read from the machine, not estimated. */
  now(nowMs: number, measured: boolean): CostNow {
    for (const minute of this.#minutes.keys()) if (minute <= nowMs - DAY_MS) this.#minutes.delete(minute);
    const { costUsd, ...sums } = [...this.#minutes.values()].reduce(addSums, NOTHING);
    return {
      ...sums,
      perRequestUsd: meanUsd(costUsd, sums.requests),
      savedShare: sums.requests === 0 ? null : savedShare(sums.busyUsd + sums.upstreamUsd, sums.premiumUsd),
      measured,
    };
  }

  #add(atMs: number, sums: DaySums): void {
    const minute = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    this.#minutes.set(minute, addSums(this.#minutes.get(minute) ?? NOTHING, sums));
  }
}

function addSums(a: DaySums, b: DaySums): DaySums {
  return {
    requests: a.requests + b.requests,
    costUsd: a.costUsd + b.costUsd,
    upstreamUsd: a.upstreamUsd + b.upstreamUsd,
    premiumUsd: a.premiumUsd + b.premiumUsd,
    busyUsd: a.busyUsd + b.busyUsd,
    idleUsd: a.idleUsd + b.idleUsd,
  };
}
