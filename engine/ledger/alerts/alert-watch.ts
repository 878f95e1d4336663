// Owns the alerts of a running server: keeps the recent past within bounds, judges the rules at each sample, and tells of what changed.
// Knows nothing about who shows alerts; desktop notifications are handed out by `notify`.
import type { ActiveAlert, AlertRule, ModelSlo, SloSettings, StatedAlert, WebhookTest } from '../../contract.ts';
import type { Log } from '../../log.ts';
import type { Ledger, RequestRecord, Sample } from '../ledger.ts';
import { Calibration } from './calibration.ts';
import { activeAlerts, evaluateAlerts, NO_ALERTS, snoozeAlert, type AlertChange, type AlertState } from './evaluate.ts';
import { Webhook } from './webhook.ts';
import type { WatchedRequest } from './window.ts';

export interface AlertWatchOptions {
  readonly ledger: Pick<Ledger, 'alert' | 'alertHistory' | 'settings'>;
  readonly log: Log;
  /** Shows a desktop notification; null where there is no desktop. Not called while snoozed or switched off. */
  readonly notify: ((change: AlertChange) => void) | null;
  readonly webhook?: Webhook;
  /** What is wrong without a rule's saying so; asked once a second. */
  readonly stated?: () => readonly StatedAlert[];
}

/** Requests that are looked at, at most: under more load the figures cover less time than the window, and cost no more to compute. */
const MAX_REQUESTS = 5_000;
/** Longest window that is kept, whatever a rule says. */
const MAX_WINDOW_SECONDS = 3_600;
/** A snooze ends within a month. */
const MAX_SNOOZE_MS = 31 * 24 * 3_600_000;

export class AlertWatch {
  readonly #options: AlertWatchOptions;
  readonly #webhook: Webhook;
  readonly #calibration = new Calibration();
  #samples: Sample[] = [];
  #requests: WatchedRequest[] = [];
  #state: AlertState = NO_ALERTS;
  #nowMs = 0;

  constructor(options: AlertWatchOptions) {
    this.#options = options;
    this.#webhook = options.webhook ?? new Webhook({ log: options.log });
  }

  /** Ends in the history what a crash has left open. */
  async settleHistory(nowMs: number): Promise<void> {
    const open = (await this.#options.ledger.alertHistory(200)).filter(({ endedMs }) => endedMs === null);
    const firing = new Set(this.#state.firing.map(({ id }) => id));
    for (const alert of open) {
      if (!firing.has(alert.id)) this.#options.ledger.alert({ ...alert, endedMs: Math.max(nowMs, alert.sinceMs) });
    }
  }

  /** Once for each finished request. */
  observeRequest(record: RequestRecord): void {
    this.#calibration.observe(record);
    const { atMs, totalMs, model, outcome, status, ttftMs, interTokenP99Ms, energyUsd, hardwareUsd, upstreamUsd } = record;
    this.#requests.push({ atMs, totalMs, model, outcome, status, ttftMs, interTokenP99Ms, energyUsd, hardwareUsd, upstreamUsd });
    // Cut in slices: moving the list down for each request would cost more than judging it.
    if (this.#requests.length > MAX_REQUESTS * 1.2) this.#requests = this.#requests.slice(-MAX_REQUESTS);
  }

  /** Once a second: judges all rules at the sample's time. */
  observeSample(sample: Sample): void {
    const { rules } = this.#options.ledger.settings.alerts;
    this.#nowMs = sample.atMs;
    this.#samples.push(sample);
    this.#forget(sample.atMs - longestWindowSeconds(rules) * 1000);
    const window = { samples: this.#samples, requests: this.#requests };
    const stated = this.#options.stated?.() ?? [];
    const { state, changes } = evaluateAlerts(this.#state, window, { rules, slos: this.slos(), stated }, sample.atMs);
    this.#state = state;
    for (const change of changes) this.#tell(change);
  }

  /** The objectives in force: what the user set, else what calibration found, else the fallback. */
  slos(): SloSettings {
    return this.#calibration.complete(this.#options.ledger.settings.slos);
  }

  /** The objectives that hold for a model, and why these. */
  sloOf(model: string): ModelSlo {
    const { models, fallback } = this.#options.ledger.settings.slos;
    const calibrated = this.#calibration.objectiveOf(model);
    const own = Object.hasOwn(models, model) ? models[model] : undefined;
    if (own !== undefined) return { model, slo: own, source: 'yours', calibrated };
    return { model, slo: calibrated ?? fallback, source: calibrated === null ? 'fallback' : 'calibration', calibrated };
  }

  /** What fires now, the oldest first. */
  active(): readonly ActiveAlert[] {
    return activeAlerts(this.#state);
  }

  /** Silences a firing alert until this time, or with null lets it speak again. False when no such alert fires. */
  snooze(alertId: string, untilMs: number | null): boolean {
    const until = untilMs === null ? null : Math.min(untilMs, this.#nowMs + MAX_SNOOZE_MS);
    const next = snoozeAlert(this.#state, alertId, until);
    if (next !== undefined) this.#state = next;
    return next !== undefined;
  }

  /** Sends a test message to the webhook of the settings; null when none is set. */
  async testWebhook(): Promise<WebhookTest | null> {
    const { webhookUrl: url, webhookSecret: secret } = this.#options.ledger.settings.alerts;
    return url === null ? null : this.#webhook.test({ url, secret });
  }

  /** Writes the end of what fires, and gives up what was not delivered. */
  async close(): Promise<void> {
    const noRules = { rules: [], slos: this.slos() };
    const { changes, state } = evaluateAlerts(this.#state, { samples: [], requests: [] }, noRules, this.#nowMs);
    this.#state = state;
    for (const { alert } of changes) this.#options.ledger.alert(alert);
    await this.#webhook.close();
  }

  /** Drops what is older. What lies in the future was left by a clock that was set back. */
  #forget(beforeMs: number): void {
    const nowMs = this.#nowMs;
    const [oldest, latest] = [this.#samples[0], this.#samples.at(-2)];
    const isStale = (oldest !== undefined && oldest.atMs <= beforeMs) || (latest !== undefined && latest.atMs > nowMs);
    if (isStale || this.#samples.length > MAX_WINDOW_SECONDS) {
      this.#samples = this.#samples.filter(({ atMs }) => atMs > beforeMs && atMs <= nowMs).slice(-MAX_WINDOW_SECONDS);
    }
    const first = this.#requests[0];
    if (first !== undefined && first.atMs + first.totalMs <= beforeMs) {
      this.#requests = this.#requests.filter(({ atMs, totalMs }) => atMs + totalMs > beforeMs);
    }
  }

  #tell(change: AlertChange): void {
    const { log, ledger, notify } = this.#options;
    const { kind, alert, muted } = change;
    if (kind !== 'reminded') ledger.alert(alert);
    log.warn(
      { alert: alert.id, rule: alert.ruleId, subject: alert.subject, value: alert.value, muted },
      `alert ${kind}: ${alert.sentence}`,
    );
    if (muted) return;
    const { desktop, webhookUrl: url, webhookSecret: secret } = ledger.settings.alerts;
    if (desktop) notify?.(change);
    if (url !== null) this.#webhook.send({ url, secret }, change);
  }
}

function longestWindowSeconds(rules: readonly AlertRule[]): number {
  return rules.reduce((longest, { windowSeconds }) => Math.max(longest, Math.min(windowSeconds, MAX_WINDOW_SECONDS)), 0);
}
