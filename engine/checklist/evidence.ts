// What the points of the checklist are judged by. Types only; nothing here is guessed, null is "not known".
import type { CostReport, DrillReport, ModelStatus, QualityNow, Settings, Tier } from '../contract.ts';

/** Of the last seven days. Shares are of the hours with samples. */
export interface Traffic {
  readonly requests: number;
  readonly errors: number;
  readonly cacheHits: number;
  /** Sequences of a step, over minutes of the last day in which at least two requests ran together; null: there was none. */
  readonly meanBatchUnderLoad: number | null;
  /** Of the worst hour, in ms. */
  readonly waitP99Ms: number | null;
  readonly ttftP99Ms: number | null;
  /** Share of the time in which the devices worked, 0 to 1; null before an hour was sampled. */
  readonly utilisation: number | null;
  /** The same in the busiest hour. */
  readonly peakUtilisation: number | null;
  /** Minutes of the last day in which devices were sampled. */
  readonly sampledMinutes: number;
}

export interface RoutingEvidence {
  /** Tiers that have at least one target that is not taken out. */
  readonly tiers: readonly Tier[];
  readonly targets: number;
  /** Requests whose model was chosen since the start. */
  readonly routed: number;
  readonly quality: QualityNow;
}

export interface BatchEvidence {
  /** Rows that ended in the batches that are still listed. */
  readonly rows: number;
  readonly spotUsd: number;
  readonly interactiveUsd: number;
  /** Why rows wait now; null: they do not. */
  readonly waiting: string | null;
}

/** The last load test at twice the recorded peak. */
export interface LoadTestEvidence {
  readonly endedMs: number;
  readonly passed: boolean;
  readonly verdict: string;
}

/** How good a precision was measured to be against the model's best one. */
export interface VariantEvidence {
  readonly model: string;
  readonly precision: string;
  readonly sizeBytes: number;
  /** Perplexity's rise over the parent's, as a share; null: not measured. */
  readonly lossShare: number | null;
}

export interface Evidence {
  readonly atMs: number;
  readonly models: readonly ModelStatus[];
  readonly settings: Settings;
  readonly traffic: Traffic;
  readonly costs: CostReport;
  /** What the devices cost over the last day. */
  readonly dayDevicesUsd: number;
  /** Whether this server can test itself under load. */
  readonly canLoadTest: boolean;
  readonly routing: RoutingEvidence | null;
  readonly batches: BatchEvidence | null;
  readonly loadTest: LoadTestEvidence | null;
  readonly drill: DrillReport | null;
  readonly variants: readonly VariantEvidence[];
}
