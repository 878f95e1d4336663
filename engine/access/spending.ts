// Owns what each key has spent this day and month, and the file that remembers it over a restart. Apart from the history,
// so that a budget holds when the history is damaged or has been deleted.
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Log } from '../log.ts';
import { NOTHING_SPENT, spendAt, type Spend } from './budget.ts';

const WRITE_MS = 1_000;

export interface SpendingOptions {
  /** Null: forgotten at the end. */
  readonly path: string | null;
  readonly log: Log;
  readonly now: () => number;
}

export class Spending {
  readonly #options: SpendingOptions;
  readonly #spend = new Map<string, Spend>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SpendingOptions) {
    this.#options = options;
  }

  /** Reads what earlier runs spent. */
  open(): void {
    const { path, log } = this.#options;
    if (path === null) return;
    try {
      const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (!isSpendDocument(document)) throw new Error('it is not a list of what keys spent');
      for (const [id, spend] of Object.entries(document.spend)) this.#spend.set(id, spend);
    } catch (err) {
      if (!(err instanceof Error && 'code' in err && err.code === 'ENOENT'))
        log.error({ err, path }, 'what keys have spent cannot be read; budgets start anew');
    }
  }

  of(keyId: string): Spend {
    return spendAt(this.#spend.get(keyId) ?? NOTHING_SPENT, this.#options.now());
  }

  add(keyId: string, usd: number): void {
    if (usd <= 0) return;
    const spend = this.of(keyId);
    this.#spend.set(keyId, { ...spend, todayUsd: spend.todayUsd + usd, monthUsd: spend.monthUsd + usd });
    this.#timer ??= setTimeout(() => void this.#write(), WRITE_MS).unref();
  }

  /** Writes what is held. Never rejects. */
  async close(): Promise<void> {
    await (this.#timer === null ? this.#writing : this.#write());
  }

  #write(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#replaceFile());
    return this.#writing;
  }

  async #replaceFile(): Promise<void> {
    const { path, log } = this.#options;
    if (path === null) return;
    try {
      await writeFile(`${path}.new`, JSON.stringify({ spend: Object.fromEntries(this.#spend) }), { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
    } catch (err) {
      log.error({ err, path }, 'what keys have spent is not written');
    }
  }
}

function isSpendDocument(document: unknown): document is { readonly spend: Readonly<Record<string, Spend>> } {
  if (typeof document !== 'object' || document === null || !('spend' in document)) return false;
  const { spend } = document;
  return typeof spend === 'object' && spend !== null && Object.values(spend).every(isSpend);
}

function isSpend(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('day' in value) || !('month' in value)) return false;
  if (!('todayUsd' in value) || !('monthUsd' in value)) return false;
  const { day, month, todayUsd, monthUsd } = value;
  return typeof day === 'string' && typeof month === 'string' && [todayUsd, monthUsd].every((usd) => typeof usd === 'number' && usd >= 0);
}
