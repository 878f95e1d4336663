// Owns what upstreams may still cost this month. What a request could cost at most is reserved before it is sent, so that the cap holds
// whatever comes back and however the process ends.
// NOTE: the file holds a sum that is promised ahead, so that it is not written for each request; after a crash all of it counts as spent.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { Log } from '../../log.ts';

interface Month {
  /** `2026-11`, of UTC. */
  readonly month: string;
  readonly promisedUsd: number;
}

export interface Reservation {
  /** Called once: what it did cost, at most what was reserved. */
  settle(usd: number): void;
}

export type ReserveAnswer =
  | { readonly kind: 'reserved'; readonly reservation: Reservation }
  | { readonly kind: 'refused'; readonly leftUsd: number };

/** Promised ahead: this many requests like the one that asks. */
const AHEAD = 20;
const CLOSE_TO_NOTHING = 1e-9;

export class UpstreamSpending {
  readonly #path: string;
  readonly #now: () => number;
  #month: string;
  #spentUsd: number;
  #reservedUsd = 0;
  #promisedUsd: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, now: () => number, kept: Month) {
    this.#path = path;
    this.#now = now;
    this.#month = kept.month;
    this.#spentUsd = kept.promisedUsd;
    this.#promisedUsd = kept.promisedUsd;
  }

  static async open(path: string, log: Log, now: () => number = Date.now): Promise<UpstreamSpending> {
    const kept = await readMonth(path, log);
    const month = monthOf(now());
    return new UpstreamSpending(path, now, kept?.month === month ? kept : { month, promisedUsd: 0 });
  }

  /** This month, what is under way among it as if it cost all it may. */
  get usd(): number {
    this.#turn();
    return this.#spentUsd + this.#reservedUsd;
  }

  /** `capUsd`: null: there is none. @throws EngineError `upstream_failed` when the file cannot be written */
  async reserve(usd: number, capUsd: number | null): Promise<ReserveAnswer> {
    this.#turn();
    const leftUsd = (capUsd ?? Infinity) - this.#spentUsd - this.#reservedUsd;
    if (usd > leftUsd) return { kind: 'refused', leftUsd: Math.max(0, leftUsd) };
    this.#reservedUsd += usd;
    const reservation = this.#reservation(usd);
    const neededUsd = this.#spentUsd + this.#reservedUsd;
    // A promise that is being written counts only when it has been.
    try {
      if (neededUsd > this.#promisedUsd + CLOSE_TO_NOTHING) await this.#promise(Math.min(neededUsd + AHEAD * usd, capUsd ?? Infinity));
    } catch (cause) {
      reservation.settle(0);
      throw new EngineError('upstream_failed', 'What upstreams cost cannot be written down, so nothing is sent to them.', { cause });
    }
    return { kind: 'reserved', reservation };
  }

  /** Writes down what was really spent. */
  async close(): Promise<void> {
    this.#turn();
    if (this.#promisedUsd > 0) await this.#promise(this.#spentUsd + this.#reservedUsd);
  }

  #reservation(usd: number): Reservation {
    const month = this.#month;
    let isSettled = false;
    return {
      settle: (spentUsd) => {
        if (isSettled) return;
        isSettled = true;
        this.#turn();
        if (month === this.#month) this.#reservedUsd = Math.max(0, this.#reservedUsd - usd);
        if (month === this.#month) this.#spentUsd += Math.min(usd, spentUsd);
      },
    };
  }

  /** A new month begins with what is under way settled in the old one. */
  #turn(): void {
    const month = monthOf(this.#now());
    if (month === this.#month) return;
    [this.#month, this.#spentUsd, this.#reservedUsd, this.#promisedUsd] = [month, 0, 0, 0];
  }

  #promise(promisedUsd: number): Promise<void> {
    const month = this.#month;
    const written = this.#writing.then(async () => {
      // Another may have promised enough while this one waited.
      if (month !== this.#month || (promisedUsd <= this.#promisedUsd && promisedUsd !== this.#spentUsd + this.#reservedUsd)) return;
      await writeMonth(this.#path, { month, promisedUsd });
      this.#promisedUsd = promisedUsd;
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }
}

const monthOf = (ms: number): string => new Date(ms).toISOString().slice(0, 7);

async function readMonth(path: string, log: Log): Promise<Month | null> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw cause;
  });
  if (text === null) return null;
  try {
    const { month, promisedUsd } = JSON.parse(text) as Partial<Month>;
    if (typeof month === 'string' && typeof promisedUsd === 'number' && promisedUsd >= 0) return { month, promisedUsd };
  } catch (err) {
    log.error({ err, path }, 'what upstreams cost this month cannot be read');
  }
  // Unreadable is not unspent.
  return { month: monthOf(Date.now()), promisedUsd: Number.MAX_VALUE };
}

async function writeMonth(path: string, month: Month): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(month)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
