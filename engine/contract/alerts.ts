// Alerts: rules over the recorded samples, those that fire now, and those that fired.

/** What a rule can watch. Shares are 0 to 1. */
export const ALERT_METRICS = [
  'latencyP99OverSlo',
  'gpuUtilisation',
  'queueDepth',
  'errorRate',
  'costPerRequestUsd',
  'meanBatch',
  'deviceMemoryShare',
  'temperatureCelsius',
] as const;
export type AlertMetric = (typeof ALERT_METRICS)[number];

export interface AlertRule {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly metric: AlertMetric;
  readonly comparison: 'above' | 'below';
  readonly threshold: number;
  /** The condition must hold over this long. */
  readonly windowSeconds: number;
  /** Fires until the value has been on the other side of this for one window; for `above` it is at most the threshold. */
  readonly clearThreshold: number;
  /** Judged only while at least this many requests are running or waiting on average; 0: always. */
  readonly minLoad: number;
  /** What it indicates and what to do: two plain sentences. */
  readonly indicates: string;
  readonly remedy: string;
}

export interface ActiveAlert {
  readonly id: string;
  readonly ruleId: string;
  readonly name: string;
  /** Model or device it is about; null: the whole server. */
  readonly subject: string | null;
  readonly sinceMs: number;
  readonly value: number;
  readonly threshold: number;
  /** In words, with the figure. */
  readonly sentence: string;
  readonly remedy: string;
  readonly snoozedUntilMs: number | null;
}

/** Something that is wrong by itself, without a rule: it fires as long as it is said. `ruleId` is of no rule. */
export type StatedAlert = Pick<ActiveAlert, 'ruleId' | 'name' | 'subject' | 'value' | 'threshold' | 'sentence' | 'remedy'>;

/** `POST /api/alerts/test-webhook` */
export type WebhookTest =
  | { readonly kind: 'delivered'; readonly status: number }
  /** The reason in words: what it answered, or why it could not be reached. */
  | { readonly kind: 'failed'; readonly reason: string };

/** A past alert. */
export interface AlertEvent extends Omit<ActiveAlert, 'snoozedUntilMs'> {
  /** Null while it fires. */
  readonly endedMs: number | null;
  /** The worst value while it fired. */
  readonly peak: number;
}

/** `GET /api/alerts` */
export interface AlertsAnswer {
  readonly rules: readonly AlertRule[];
  readonly active: readonly ActiveAlert[];
  /** Newest first, at most 200. */
  readonly history: readonly AlertEvent[];
}
