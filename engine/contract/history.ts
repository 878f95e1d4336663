// The past, as the History screen and the live plots ask for it.

/** Milliseconds since 1970; `toMs` is not part of the range. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How long one point of a series lasts, in ms. Finer history is rolled up and dropped as the retention says. */
export type SeriesStepMs = 1_000 | 60_000 | 3_600_000 | 86_400_000;

/** What is known of one model in each step; of `all` the sum or the merged distribution over every model. */
export const SERIES = [
  'requests',
  'errors',
  'promptTokens',
  'completionTokens',
  'tokensPerSecond',
  'queueDepth',
  'running',
  'meanBatch',
  'kvUsedTokens',
  'ttftP50Ms',
  'ttftP99Ms',
  'interTokenP50Ms',
  'interTokenP99Ms',
  'totalP50Ms',
  'totalP99Ms',
  'waitP50Ms',
  'waitP99Ms',
  'cacheHits',
  'costUsd',
  'premiumUsd',
  'idleUsd',
] as const;
/** What is known of a device in each step. */
export const DEVICE_SERIES = ['utilisation', 'memoryUsedBytes', 'powerWatts', 'temperatureCelsius'] as const;

export type SeriesName = (typeof SERIES)[number] | (typeof DEVICE_SERIES)[number];

/** `GET /api/history/series?from=&to=&step=&names=a,b&of=all|<model>|<device>`; without `step` the finest with at most 1,500 points. */
export interface SeriesAnswer {
  readonly range: TimeRange;
  readonly stepMs: SeriesStepMs;
  readonly of: string;
  /** Start of each step. */
  readonly atMs: readonly number[];
  /** One list for each name asked for, as long as `atMs`; null is a gap. */
  readonly values: Readonly<Partial<Record<SeriesName, readonly (number | null)[]>>>;
}

export type Outcome = 'ok' | 'error' | 'cancelled';
export type CacheUse = 'hit' | 'miss' | 'coalesced' | 'semantic' | 'bypass';

/** One finished request, as the ledger keeps it. Nulls: not applicable, or it ended before that was known. No texts. */
export interface RequestRow {
  /** Place in the ledger, ascending with the time of the end. */
  readonly rowId: number;
  readonly requestId: string;
  /** Arrival. */
  readonly atMs: number;
  readonly tenant: string;
  readonly key: string | null;
  readonly endpoint: string;
  readonly streamed: boolean;
  readonly modelAsked: string;
  readonly model: string | null;
  readonly variant: string | null;
  readonly precision: string | null;
  readonly device: string | null;
  readonly routeReason: string | null;
  /** Arrival to first slot; 0 when it did not wait. */
  readonly queueMs: number | null;
  /** The part of that in which its model was still loading. */
  readonly loadMs: number | null;
  readonly prefillMs: number | null;
  readonly ttftMs: number | null;
  readonly interTokenP50Ms: number | null;
  readonly interTokenP99Ms: number | null;
  readonly totalMs: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly meanBatch: number | null;
  readonly cache: CacheUse | null;
  /** This request's share of the steps it took part in, by tokens. */
  readonly deviceMs: number;
  readonly energyJoules: number;
  readonly energyUsd: number;
  readonly hardwareUsd: number;
  readonly upstreamUsd: number;
  /** Null when no premium price is set. */
  readonly premiumUsd: number | null;
  readonly status: number;
  readonly outcome: Outcome;
  readonly errorCode: string | null;
}

export interface RequestFilter {
  readonly model?: string;
  readonly tenant?: string;
  readonly endpoint?: string;
  readonly outcome?: Outcome;
  readonly minTotalMs?: number;
  /** Part of a request id, model or error code. */
  readonly search?: string;
}

export type RequestOrder = 'newest' | 'slowest' | 'costliest';

/** `GET /api/history/requests?from=&to=&order=&limit=&cursor=&<filter>` */
export interface RequestPage {
  readonly rows: readonly RequestRow[];
  /** Over the whole range and filter. */
  readonly total: number;
  /** For the next page; null on the last. */
  readonly cursor: string | null;
}
