// Wires what keeps the books of a running engine: ledger, cost meter, sampler, alerts, metrics, jobs. None of it is needed to serve.
// It is started after the server listens; what ends before that is held for it.
import type { ChecklistControl } from '../checklist/checklist-control.ts';
import type { CostSettings, ModelStatus, Settings } from '../contract.ts';
import { bug, EngineError } from '../errors.ts';
import type { ModelControl } from '../fleet/control.ts';
import type { Accounting } from '../gateway/tracing/accounting.ts';
import type { ConsoleServices } from '../gateway/console/services.ts';
import type { BatchControl, RowServer } from '../jobs/batches/batch-control.ts';
import type { SpawnPull } from '../jobs/pull-process.ts';
import type { AlertChange } from '../ledger/alerts/evaluate.ts';
import { premiumPrice, premiumUsd } from '../ledger/cost/formulas.ts';
import { CostMeter } from '../ledger/cost/meter.ts';
import type { ModelSample, RequestRecord } from '../ledger/ledger.ts';
import { DEFAULT_SETTINGS } from '../ledger/settings/defaults.ts';
import type { LoadTestControl } from '../loadtest/load-test-control.ts';
import type { Log } from '../log.ts';
import type { RouterControl } from '../routing/router-control.ts';
import type { Books, openBooks } from './open-books.ts';

export interface BookkeepingOptions {
  readonly dataDir: string;
  readonly version: string;
  readonly log: Log;
  readonly models: ModelControl;
  /** Hears of the settings when they are read, and of each change. */
  readonly onSettings: (settings: Settings) => void;
  /** Shows a desktop notification; null where there is no desktop. */
  readonly notify: ((change: AlertChange) => void) | null;
  /** How models are pulled; null: by a child process. */
  readonly spawnPull: SpawnPull | null;
  /** Chooses among models; absent: nothing does. */
  readonly router?: RouterControl;
  /** Requests of one model that are taken in at once. */
  readonly queueLimit?: number;
  /** For tests: how the books are opened. */
  readonly openBooks?: typeof openBooks;
}

/** What is asked of the gateway. */
export interface ServedModels {
  readModels(): readonly ModelStatus[];
  sampleModels(): readonly ModelSample[];
  /** Runs rows of batches, and knows how many interactive requests there are. */
  readonly rows: RowServer;
}

/** Records that are held until the books are open; more are dropped and logged. */
const MOST_HELD = 10_000;

export class Bookkeeping {
  readonly #options: BookkeepingOptions;
  #prices: CostSettings = DEFAULT_SETTINGS.cost;
  readonly #meter = new CostMeter(() => this.#prices);
  readonly accounting: Accounting = {
    charge: (device, deviceMs) => this.#meter.charge(device, deviceMs),
    premiumUsd: (promptTokens, completionTokens) => premiumUsd(promptTokens, completionTokens, premiumPrice(this.#prices)),
  };
  #served: ServedModels | null = null;
  #opening: Promise<Books> | null = null;
  #books: Books | null = null;
  readonly #startedMs = Date.now();
  #held: RequestRecord[] = [];

  constructor(options: BookkeepingOptions) {
    this.#options = options;
  }

  /** A finished request. */
  record(record: RequestRecord): void {
    if (this.#books !== null) this.#books.take(record);
    else if (this.#held.length < MOST_HELD) this.#held.push(record);
    else this.#options.log.error({ request: record.requestId }, 'a finished request is not recorded: the books are not open yet');
  }

  /** What the console works with; opens the books unless they are open.
   *  @throws EngineError `history_unavailable` when they cannot be opened; the next call tries again */
  async services(): Promise<ConsoleServices> {
    return (await this.#opened().catch(refuse)).services;
  }

  /** Files and batches; opens the books unless they are open.
   *  @throws EngineError `history_unavailable` when they cannot be opened; the next call tries again */
  async batches(): Promise<BatchControl> {
    return (await this.#opened().catch(refuse)).batches;
  }

  /** The checklist; opens the books unless they are open.
   *  @throws EngineError `history_unavailable` when they cannot be opened; the next call tries again */
  async checklist(): Promise<ChecklistControl> {
    return (await this.#opened().catch(refuse)).checklist;
  }

  /** Load tests; opens the books unless they are open.
   *  @throws EngineError `history_unavailable` when they cannot be opened; the next call tries again */
  async loadTests(): Promise<LoadTestControl> {
    return (await this.#opened().catch(refuse)).loadTests;
  }

  /** Must be called before the books are opened. */
  serves(models: ServedModels): void {
    this.#served = models;
  }

  /** Opens the books unless somebody has. Never rejects: a fault is logged, and serving goes on. */
  async open(): Promise<void> {
    await this.#opened().catch(() => undefined);
  }

  /** Writes what is held, and ends what runs. Never rejects. */
  async close(): Promise<void> {
    if (this.#opening === null && this.#held.length === 0) return;
    await this.open();
    await this.#books?.close().catch((err: unknown) => this.#options.log.error({ err }, 'the books were not closed well'));
  }

  /** A failure is not kept: whoever asks next tries again, and what ended meanwhile is still held. */
  #opened(): Promise<Books> {
    this.#opening ??= this.#start().catch((err: unknown) => {
      this.#opening = null;
      this.#options.log.error({ err }, 'the books cannot be opened; requests wait to be recorded');
      throw err;
    });
    return this.#opening;
  }

  async #start(): Promise<Books> {
    const served = this.#served ?? bug('The books are opened before there is anything to serve.');
    const open = this.#options.openBooks ?? (await import('./open-books.ts')).openBooks;
    const books = await open({
      ...this.#options,
      meter: this.#meter,
      startedMs: this.#startedMs,
      served,
      onPrices: (prices) => (this.#prices = prices),
    });
    this.#books = books;
    for (const record of this.#held.splice(0)) books.take(record);
    return books;
  }
}

function refuse(cause: unknown): never {
  throw new EngineError('history_unavailable', 'The books of the engine cannot be opened; its log says why.', { cause });
}
