// Batches: many requests in one file, computed when nobody else needs the machine. `GET /api/batches`; they are made through `/v1/batches`.

export const BATCH_STATUSES = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
] as const;
export type BatchStatusName = (typeof BATCH_STATUSES)[number];

/** What is wrong with a batch's input file. */
export interface BatchFault {
  readonly code: string;
  readonly message: string;
  /** The field of the line at fault; null where it is the whole line. */
  readonly param: string | null;
  /** From 1; null where it is the whole file. */
  readonly line: number | null;
}

export interface BatchView {
  readonly id: string;
  readonly tenant: string;
  /** Of its rows: `/v1/chat/completions`. */
  readonly endpoint: string;
  /** The one model of its rows; null before that is known, or when there are several. */
  readonly model: string | null;
  readonly filename: string;
  readonly status: BatchStatusName;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly endedMs: number | null;
  /** Lately; null while it does not run. */
  readonly rowsPerSecond: number | null;
  /** Time until it is done at that rate; null while unknown. */
  readonly etaMs: number | null;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
  readonly faults: readonly BatchFault[];
  readonly cost: BatchCost;
}

/** All money is US dollars. */
export interface BatchCost {
  /** Its own price: energy and upstream models. The hardware is paid for by the work that needs it at once. */
  readonly spotUsd: number;
  /** What the same device time costs interactive work: the above and the hardware's share. */
  readonly interactiveUsd: number;
  /** What the premium model would have cost; null when it has no price. */
  readonly premiumUsd: number | null;
  /** Device time, interrupted work included. */
  readonly deviceMs: number;
}

/** Whether rows run now, and why not. */
export interface BatchActivity {
  readonly kind: 'idle' | 'running' | 'waiting';
  /** In words. */
  readonly reason: string;
  /** Rows under way. */
  readonly rows: number;
}

/** `GET /api/batches`: newest first, at most 100. */
export interface BatchesAnswer {
  readonly activity: BatchActivity;
  readonly batches: readonly BatchView[];
}

/** A time of day on this machine's clock, such as `22:00`. A span whose end is not after its begin goes over midnight. */
export interface DaySpan {
  readonly from: string;
  readonly to: string;
}

/** When rows of batches may run. Interactive requests go before them at any time. */
export interface BatchSettings {
  /** Empty: at any time of the day. */
  readonly windows: readonly DaySpan[];
  /** Not on a battery. */
  readonly mainsOnly: boolean;
  /** Of the hottest device; null: whatever its temperature. */
  readonly maxCelsius: number | null;
  /** Price of electricity above which rows wait; null: at any price. */
  readonly maxUsdPerKwh: number | null;
  /** Prices that hold in parts of the day; at other times `cost.tariffUsdPerKwh` holds. */
  readonly tariffs: readonly (DaySpan & { readonly usdPerKwh: number })[];
  /** Rows at the same time; null: as many as the model has slots. */
  readonly maxRows: number | null;
}
