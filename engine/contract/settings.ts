// What the user sets in the console: one document, kept in the ledger. `GET /api/settings`, `PUT /api/settings` with any part of it.
import type { AlertRule } from './alerts.ts';
import type { BatchSettings } from './batches.ts';
import type { RoutingSettings } from './routing.ts';
import type { QualitySettings } from './variants.ts';

export interface Settings {
  readonly cost: CostSettings;
  readonly retention: Retention;
  readonly slos: SloSettings;
  readonly alerts: AlertSettings;
  readonly cache: CacheSettings;
  readonly routing: RoutingSettings;
  readonly batch: BatchSettings;
  readonly quality: QualitySettings;
  /** Models that are kept loaded; by id. */
  readonly pinnedModels: readonly string[];
  /** Idle time after which an unpinned model is unloaded; null: never. */
  readonly idleUnloadMinutes: number | null;
}

export interface CostSettings {
  readonly tariffUsdPerKwh: number;
  readonly hardwarePriceUsd: number;
  readonly hardwareLifeYears: number;
  /** Used where power cannot be read. */
  readonly idleWatts: number;
  readonly busyWatts: number;
  readonly upstreamPrices: readonly UpstreamPrice[];
  /** Name of the upstream price that "premium" means. */
  readonly premium: string;
  readonly rentPrices: readonly RentPrice[];
}

export interface UpstreamPrice {
  readonly name: string;
  readonly promptUsdPerMillion: number;
  readonly completionUsdPerMillion: number;
}

/** A device one can rent, such as a T4 at $0.50 an hour. */
export interface RentPrice {
  readonly name: string;
  readonly usdPerHour: number;
}

/** How long each grain of history is kept. */
export interface Retention {
  readonly secondsHours: number;
  readonly minutesDays: number;
  readonly hoursDays: number;
  readonly requestsDays: number;
}

/** Service level objectives in ms; null: none. */
export interface Slo {
  readonly ttftMs: number | null;
  readonly interTokenMs: number | null;
  readonly totalMs: number | null;
}

export interface SloSettings {
  readonly fallback: Slo;
  /** By model id; a missing model has the fallback. */
  readonly models: Readonly<Record<string, Slo>>;
}

/** Which objectives hold for a model, and why these. */
export interface ModelSlo {
  readonly model: string;
  readonly slo: Slo;
  /** The user's own; of what its first lone requests took; or those of all models. */
  readonly source: 'yours' | 'calibration' | 'fallback';
  /** What it would have without the user's own; null: those of all models. */
  readonly calibrated: Slo | null;
}

/** `GET /api/slos`: the objectives in force. */
export interface SlosAnswer {
  readonly fallback: Slo;
  /** Installed models, and those that settings name. */
  readonly models: readonly ModelSlo[];
}

export interface AlertSettings {
  readonly rules: readonly AlertRule[];
  readonly desktop: boolean;
  readonly webhookUrl: string | null;
  /** Signs webhooks (HMAC-SHA256); written, never read back: the answer holds null or `set`. */
  readonly webhookSecret: string | null;
}

export interface CacheSettings {
  readonly enabled: boolean;
  readonly maxBytes: number;
  readonly maxAgeHours: number;
  /** Answers are shared between tenants. */
  readonly shared: boolean;
  /** Least cosine similarity of an earlier question whose answer is given again; null: off. */
  readonly semanticSimilarity: number | null;
  /** Embedding model of the semantic cache; null: the only one installed. */
  readonly semanticModel: string | null;
}
