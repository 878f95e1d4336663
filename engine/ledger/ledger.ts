// Owns the interface of the ledger: what the gateway and the meters write, and what screens read.
// Knows nothing about SQLite; tests implement it with a fake.
import type { AlertEvent, CostReport, CostGroup, RequestFilter, RequestOrder, RequestPage, RequestRow, SeriesAnswer } from '../contract.ts';
import type { SeriesName, SeriesStepMs, Settings, TimeRange } from '../contract.ts';

/** A finished request on its way into the ledger. */
export type RequestRecord = Omit<RequestRow, 'rowId'>;

/** One second of one device. Nulls are unknown. */
export interface DeviceSample {
  readonly device: string;
  readonly utilisation: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly powerWatts: number | null;
  readonly powerMeasured: boolean;
  readonly temperatureCelsius: number | null;
}

/** One second of one model; counts are of this second alone. */
export interface ModelSample {
  readonly model: string;
  readonly queueDepth: number;
  readonly running: number;
  readonly slots: number;
  readonly kvUsedTokens: number;
  /** Sequences of a step on average; null without steps. */
  readonly meanBatch: number | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Time in which the device worked for this model. */
  readonly busyMs: number;
}

export interface Sample {
  readonly atMs: number;
  readonly devices: readonly DeviceSample[];
  readonly models: readonly ModelSample[];
  /** What the devices cost over this second, split into the parts that requests were charged and the rest. */
  readonly busyUsd: number;
  readonly idleUsd: number;
}

/** How the ledger itself is. Inference goes on in every state. */
export type LedgerHealth =
  | { readonly kind: 'ok' }
  | {
      readonly kind: 'disk_full' | 'locked' | 'damaged' | 'failed';
      readonly sinceMs: number;
      /** What happened, what it means, what to do. */
      readonly sentence: string;
      readonly detail: string;
      /** Records that were not written and are no longer held. */
      readonly lost: number;
    };

export interface SeriesQuery {
  readonly range: TimeRange;
  /** Null: the finest with at most 1,500 points. */
  readonly stepMs: SeriesStepMs | null;
  readonly names: readonly SeriesName[];
  /** `all`, a model, or a device. Of all devices, memory and power are summed, the rest is a mean. */
  readonly of: string;
}

export interface RequestQuery {
  /** Of the moments at which requests ended, as in series and costs: what a request cost is known then. */
  readonly range: TimeRange;
  readonly filter: RequestFilter;
  readonly order: RequestOrder;
  /** 1 to 500. */
  readonly limit: number;
  readonly cursor: string | null;
}

export type ExportFormat = 'csv' | 'jsonl';
export type ExportTable = 'requests' | 'samples' | 'alerts';

export interface ExportQuery {
  readonly range: TimeRange;
  readonly table: ExportTable;
  readonly format: ExportFormat;
}

/** A part of the settings, to any depth; lists are replaced whole. */
export type SettingsPatch = DeepPartial<Settings>;
type DeepPartial<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [K in keyof T]?: DeepPartial<T[K]> } : T;

export interface Ledger {
  /** Kept in memory and written within a second, off the caller's path. Never throws. */
  record(request: RequestRecord): void;
  sample(sample: Sample): void;
  alert(event: AlertEvent): void;
  /** The settings as they are now; a patch is durable when its promise resolves. */
  readonly settings: Settings;
  /** @throws EngineError `invalid_request` naming the field and its limit */
  changeSettings(patch: SettingsPatch): Promise<Settings>;
  /** Called after each change; returns how to stop. */
  onSettings(listener: (settings: Settings) => void): () => void;
  series(query: SeriesQuery): Promise<SeriesAnswer>;
  requests(query: RequestQuery): Promise<RequestPage>;
  /** Undefined when it is unknown or no longer kept. */
  request(rowId: number): Promise<RequestRow | undefined>;
  /** Days are of UTC. Where single requests are no longer kept, the range is widened to whole days. */
  costs(range: TimeRange, by: CostGroup): Promise<CostReport>;
  alertHistory(limit: number): Promise<readonly AlertEvent[]>;
  /** Text in pieces of some 64 KiB; ends early when `signal` does. */
  export(query: ExportQuery, signal: AbortSignal): AsyncIterable<string>;
  readonly health: LedgerHealth;
  /** Writes what is held and ends the threads. */
  close(): Promise<void>;
}
