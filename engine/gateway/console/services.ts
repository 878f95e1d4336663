// What the console needs of other rooms beyond the models themselves. Types only; tests give fakes.
import type { ActiveAlert, CatalogueModel, CostNow, DeviceNow, ModelSlo, WebhookTest } from '../../contract.ts';
import type { ModelControl, VariantControl } from '../../fleet/control.ts';
import type { JobControl, LabJobs } from '../../jobs/job-control.ts';
import type { Ledger } from '../../ledger/ledger.ts';

export interface ConsoleServices {
  readonly ledger: Ledger;
  readonly models: ModelControl;
  readonly jobs: JobControl;
  readonly lab: LabJobs;
  readonly variants: VariantControl;
  readonly alerts: AlertControl;
  readonly metrics: MetricsText;
  /** As the last sample saw them; empty before the first. */
  readonly devices: () => readonly DeviceNow[];
  /** The last 24 hours. */
  readonly cost: () => CostNow;
  readonly catalogue: () => readonly KnownModel[];
}

/** What is known of a model before any was measured here. */
export type KnownModel = Omit<CatalogueModel, 'tokensPerSecond'>;

export interface AlertControl {
  active(): readonly ActiveAlert[];
  /** Null ends a snooze. False when no such alert fires. */
  snooze(alertId: string, untilMs: number | null): boolean;
  /** Null when no webhook is set. */
  testWebhook(): Promise<WebhookTest | null>;
  /** The objectives that hold for a model. */
  sloOf(model: string): ModelSlo;
}

export interface MetricsText {
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}
