// Owns results and costs on their way to the store: gathered, written in groups, kept and tried again while the disk refuses them.
import type { Log } from '../../log.ts';
import type { BatchCharges } from './batch-control.ts';
import type { BatchCharge, RowResult } from './batch-store.ts';

export interface ResultWriterOptions {
  readonly write: (results: readonly RowResult[], charges: readonly BatchCharge[]) => Promise<void>;
  /** These have reached the disk. */
  readonly onWritten: (results: readonly RowResult[]) => void;
  readonly log: Log;
}

/** A group is written when it has so many results, or is so old. */
const GROUP = 64;
const GATHER_MS = 100;
const RETRY_MS = 2_000;

export class ResultWriter {
  readonly #options: ResultWriterOptions;
  #results: RowResult[] = [];
  #charges = new Map<string, BatchCharge>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  /** Why nothing can be written, in words; null: all is well. */
  fault: string | null = null;

  constructor(options: ResultWriterOptions) {
    this.#options = options;
  }

  add(result: RowResult): void {
    this.#results.push(result);
    this.#writeSoon(this.#results.length >= GROUP ? 0 : GATHER_MS);
  }

  charge(batch: string, charges: BatchCharges): void {
    this.#charges.set(batch, { batch, ...sum(this.#charges.get(batch), charges) });
    this.#writeSoon(GATHER_MS);
  }

  /** Writes what there is, once. Never rejects: `fault` says how it went. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#write();
    await this.#writing;
  }

  #writeSoon(afterMs: number): void {
    if (this.#isWriting || (this.#timer !== null && afterMs > 0)) return;
    if (this.#timer !== null && this.fault !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), afterMs);
  }

  async #write(): Promise<void> {
    const [results, charges] = [this.#results, this.#charges];
    if (results.length === 0 && charges.size === 0) return;
    this.#isWriting = true;
    this.#results = [];
    this.#charges = new Map();
    const fault = await this.#options.write(results, [...charges.values()]).then(
      () => null,
      (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
    );
    this.#isWriting = false;
    if (fault !== null) return this.#keep(results, charges, fault);
    this.fault = null;
    this.#options.onWritten(results);
    if (this.#results.length + this.#charges.size > 0) this.#writeSoon(GATHER_MS);
  }

  #keep(results: readonly RowResult[], charges: ReadonlyMap<string, BatchCharge>, fault: string): void {
    if (this.fault === null) this.#options.log.error({ fault }, 'results of batches cannot be written; they are kept and tried again');
    this.fault = fault;
    this.#results = [...results, ...this.#results];
    for (const [batch, charge] of charges) this.#charges.set(batch, { batch, ...sum(this.#charges.get(batch), charge) });
    this.#timer ??= setTimeout(() => void this.flush(), RETRY_MS);
  }
}

function sum(a: BatchCharges | undefined, b: BatchCharges): BatchCharges {
  if (a === undefined) return b;
  return {
    energyUsd: a.energyUsd + b.energyUsd,
    hardwareUsd: a.hardwareUsd + b.hardwareUsd,
    upstreamUsd: a.upstreamUsd + b.upstreamUsd,
    premiumUsd: a.premiumUsd === null ? b.premiumUsd : a.premiumUsd + (b.premiumUsd ?? 0),
    deviceMs: a.deviceMs + b.deviceMs,
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    completionTokens: a.completionTokens + b.completionTokens,
  };
}
