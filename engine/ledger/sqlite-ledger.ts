// Owns the ledger as the engine has it: settings beside a history file, records on their way into it, and its state of health.
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { AlertEvent, CostGroup, CostReport, RequestPage, RequestRow, SeriesAnswer, Settings, TimeRange } from '../contract.ts';
import type { Log } from '../log.ts';
import { finishCostReport } from './cost/report.ts';
import type { ExportQuery, Ledger, LedgerHealth, RequestQuery, RequestRecord, Sample, SeriesQuery, SettingsPatch } from './ledger.ts';
import { SettingsFile } from './settings/settings-file.ts';
import type { Fault } from './store/fault.ts';
import { HistoryFile } from './store/history-file.ts';
import type { ExportPlace } from './store/messages.ts';
import { Outbox } from './store/outbox.ts';

export interface LedgerOptions {
  /** The history file; settings lie beside it as `settings.json`. */
  readonly path: string;
  readonly log: Log;
  /** ms since 1970 */
  readonly now: () => number;
}

const MAINTENANCE_MS = 60_000;
/** Between slices while there is more to delete. */
const SLICE_PAUSE_MS = 250;
/** How long the console says that a damaged file was replaced. */
const NOTICE_MS = 24 * 3_600_000;
/** What `close` may take; what is not written by then is lost, and logged. */
const CLOSE_MS = 5_000;

/** Resolves as soon as the settings are read. The history file is opened by its own threads meanwhile, records wait until it is. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const settings = await SettingsFile.open(join(dirname(options.path), 'settings.json'), options.log);
  return new SqliteLedger(options, settings);
}

class SqliteLedger implements Ledger {
  readonly #options: LedgerOptions;
  readonly #settings: SettingsFile;
  readonly #file: HistoryFile;
  readonly #outbox: Outbox;
  readonly #listeners = new Set<(settings: Settings) => void>();
  #trouble: Exclude<LedgerHealth, { readonly kind: 'ok' }> | null = null;
  #notice: Exclude<LedgerHealth, { readonly kind: 'ok' }> | null = null;
  #maintenance: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: LedgerOptions, settings: SettingsFile) {
    this.#options = options;
    this.#settings = settings;
    this.#file = new HistoryFile({ ...options, onSetAside: (path) => this.#noteSetAside(path) });
    this.#outbox = new Outbox({
      name: randomUUID(),
      write: (batch) => this.#file.write(batch),
      onOutcome: (fault, lost) => this.#noteOutcome(fault, lost),
    });
    void this.#file.open().then((answer) => {
      if (answer.kind === 'fault') this.#noteOutcome(answer.fault, 0);
    });
    this.#scheduleMaintenance(SLICE_PAUSE_MS);
  }

  record(request: RequestRecord): void {
    if (!this.#isClosed) this.#outbox.addRequest(request);
  }

  sample(sample: Sample): void {
    if (!this.#isClosed) this.#outbox.addSample(sample);
  }

  alert(event: AlertEvent): void {
    if (!this.#isClosed) this.#outbox.addAlert(event);
  }

  get settings(): Settings {
    return this.#settings.current;
  }

  async changeSettings(patch: SettingsPatch): Promise<Settings> {
    const settings = await this.#settings.change(patch);
    for (const listener of this.#listeners) this.#tell(listener, settings);
    return settings;
  }

  /** The change is made and durable: that one of those who act by it fails must not be read as a refusal. */
  #tell(listener: (settings: Settings) => void, settings: Settings): void {
    try {
      listener(settings);
    } catch (err) {
      this.#options.log.error({ err }, 'A change of the settings is stored but not in force everywhere; a restart applies it.');
    }
  }

  onSettings(listener: (settings: Settings) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  series(query: SeriesQuery): Promise<SeriesAnswer> {
    return this.#file.read<'series'>({ kind: 'series', query });
  }

  requests(query: RequestQuery): Promise<RequestPage> {
    return this.#file.read<'requests'>({ kind: 'requests', query });
  }

  request(rowId: number): Promise<RequestRow | undefined> {
    return this.#file.read<'request'>({ kind: 'request', rowId });
  }

  async costs(range: TimeRange, by: CostGroup): Promise<CostReport> {
    const totals = await this.#file.read<'costs'>({ kind: 'costs', range, by });
    return finishCostReport({ ...totals, quality: { kind: 'not_measured' }, settings: this.settings.cost });
  }

  alertHistory(limit: number): Promise<readonly AlertEvent[]> {
    return this.#file.read<'alerts'>({ kind: 'alerts', limit });
  }

  async *export(query: ExportQuery, signal: AbortSignal): AsyncIterable<string> {
    let after: ExportPlace | null = null;
    do {
      if (signal.aborted) return;
      const piece: { readonly text: string; readonly next: ExportPlace | null } = await this.#file.read<'export'>({
        kind: 'export',
        query,
        after,
      });
      if (piece.text !== '') yield piece.text;
      after = piece.next;
    } while (after !== null);
  }

  get health(): LedgerHealth {
    if (this.#trouble !== null) return this.#trouble;
    const isRecent = this.#notice !== null && this.#options.now() - this.#notice.sinceMs < NOTICE_MS;
    return isRecent && this.#notice !== null ? this.#notice : { kind: 'ok' };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#maintenance !== null) clearTimeout(this.#maintenance);
    await withLimit(this.#outbox.flush(), CLOSE_MS);
    this.#outbox.close();
    const { heldCount } = this.#outbox;
    if (heldCount > 0) this.#options.log.error({ records: heldCount }, 'These records could not be written and are lost.');
    await withLimit(this.#file.close(), CLOSE_MS);
  }

  #noteOutcome(fault: Fault | null, lost: number): void {
    if (fault === null) {
      if (this.#trouble !== null) this.#options.log.info({ lost: this.#trouble.lost }, 'History is written again.');
      this.#trouble = null;
      return;
    }
    const { kind, sentence, detail } = fault;
    const isNew = this.#trouble?.kind !== kind;
    if (isNew) this.#options.log.error({ kind, detail }, sentence);
    const sinceMs = isNew ? this.#options.now() : (this.#trouble?.sinceMs ?? this.#options.now());
    this.#trouble = { kind, sinceMs, sentence, detail, lost };
  }

  #noteSetAside(path: string): void {
    this.#notice = {
      kind: 'damaged',
      sinceMs: this.#options.now(),
      sentence: 'The history file was damaged. It was set aside, and history begins anew; settings and models are as they were.',
      detail: `The damaged file is ${path}; \`sqlite3 FILE .recover\` reads what is left of it.`,
      lost: 0,
    };
  }

  #scheduleMaintenance(waitMs: number): void {
    if (this.#isClosed) return;
    this.#maintenance = setTimeout(() => {
      const question = { kind: 'maintain', nowMs: this.#options.now(), retention: this.settings.retention } as const;
      void this.#file.maintain(question).then((more) => this.#scheduleMaintenance(more ? SLICE_PAUSE_MS : MAINTENANCE_MS));
    }, waitMs);
    this.#maintenance.unref();
  }
}

/** Waits for the work, but no longer than that. */
async function withLimit(work: Promise<unknown>, limitMs: number): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, limitMs);
  await Promise.race([work, limit.promise]);
  clearTimeout(timer);
}
