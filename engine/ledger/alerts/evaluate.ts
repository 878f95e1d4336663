// Owns when an alert begins and ends: a pure function from what is known to the next state and what has happened.
// Knows nothing about clocks, delivery or the ledger.
import type { ActiveAlert, AlertEvent, AlertRule, SloSettings, StatedAlert } from '../../contract.ts';
import { sentenceOf } from './sentence.ts';
import { measure, type AlertWindow, type Measured } from './window.ts';

export interface AlertState {
  readonly firing: readonly FiringAlert[];
  /** By rule and subject: nobody is told of it before this time, even if it ends and fires again. */
  readonly snoozes: ReadonlyMap<string, number>;
}

interface FiringAlert extends Omit<AlertEvent, 'endedMs'> {
  /** Since when the value has been on the other side of `clearThreshold`, or unknown; null while it is not. */
  readonly clearSinceMs: number | null;
}

export const NO_ALERTS: AlertState = { firing: [], snoozes: new Map() };

export interface AlertPolicy {
  readonly rules: readonly AlertRule[];
  readonly slos: SloSettings;
  /** What others say is wrong now; absent: nothing. */
  readonly stated?: readonly StatedAlert[];
}

/** `reminded`: it still fires when its snooze ends. */
export interface AlertChange {
  readonly kind: 'fired' | 'ended' | 'reminded';
  readonly alert: AlertEvent;
  /** Snoozed: it is recorded and logged, but nobody is called. */
  readonly muted: boolean;
}

export interface Evaluation {
  readonly state: AlertState;
  readonly changes: readonly AlertChange[];
}

/**
 * Judges every enabled rule at `nowMs`.
 *
 * An alert fires when the value over the rule's window is past the threshold. It ends when the value has been at or past the clear
 * threshold for one whole window, so that a flapping value is one alert. A value that is unknown (no samples, no requests, too little
 * load) counts as clear: nothing is asserted without evidence. A rule that is gone or switched off ends its alerts at once; so does what
 * is no longer stated.
 */
export function evaluateAlerts(state: AlertState, window: AlertWindow, policy: AlertPolicy, nowMs: number): Evaluation {
  const rules = policy.rules.filter(({ enabled }) => enabled);
  const judged = rules.flatMap((rule) => judgeRule(rule, state, measure(rule, window, policy.slos, nowMs), nowMs));
  const stated = (policy.stated ?? []).map((alert) => stateAlert(alert, state, nowMs));
  const known = new Set(rules.map(({ id }) => id));
  const said = new Set(stated.map(({ alert }) => keyOf(alert)));
  const orphans = state.firing.filter((alert) => !known.has(alert.ruleId) && !said.has(keyOf(alert))).map((alert) => ended(alert, nowMs));
  const outcomes = [...judged, ...stated, ...orphans];
  const reminders = outcomes.filter((outcome) => outcome.kind === 'firing' && snoozeEnds(state, outcome.alert, nowMs));
  const snoozes = new Map([...state.snoozes].filter(([, untilMs]) => untilMs > nowMs));
  const next: AlertState = { firing: outcomes.flatMap((outcome) => (outcome.kind === 'ended' ? [] : [outcome.alert])), snoozes };
  return {
    state: next,
    changes: [
      ...outcomes.flatMap(({ kind, alert }) => (kind === 'firing' ? [] : [change(kind, alert, next)])),
      ...reminders.map(({ alert }) => change('reminded', alert, next)),
    ],
  };
}

/** The alerts as screens show them, the oldest first. */
export function activeAlerts(state: AlertState): readonly ActiveAlert[] {
  return state.firing.map((alert) => shown(alert, state.snoozes.get(keyOf(alert)) ?? null)).sort((a, b) => a.sinceMs - b.sinceMs);
}

function shown(alert: FiringAlert, snoozedUntilMs: number | null): ActiveAlert {
  const { id, ruleId, name, subject, sinceMs, value, threshold, sentence, remedy } = alert;
  return { id, ruleId, name, subject, sinceMs, value, threshold, sentence, remedy, snoozedUntilMs };
}

/** Silences a firing alert until a time, or speaks again with null. Undefined when no such alert fires. */
export function snoozeAlert(state: AlertState, alertId: string, untilMs: number | null): AlertState | undefined {
  const alert = state.firing.find(({ id }) => id === alertId);
  if (alert === undefined) return undefined;
  const snoozes = new Map(state.snoozes);
  if (untilMs === null) snoozes.delete(keyOf(alert));
  else snoozes.set(keyOf(alert), untilMs);
  return { ...state, snoozes };
}

type Outcome =
  | { readonly kind: 'fired' | 'firing'; readonly alert: FiringAlert }
  | { readonly kind: 'ended'; readonly alert: FiringAlert & { readonly endedMs: number } };

function judgeRule(rule: AlertRule, state: AlertState, values: readonly Measured[], nowMs: number): readonly Outcome[] {
  const firing = state.firing.filter(({ ruleId }) => ruleId === rule.id);
  const ongoing = firing.map((alert) => goOn(alert, rule, values.find(({ subject }) => subject === alert.subject) ?? null, nowMs));
  const quiet = values.filter(({ subject }) => !firing.some((alert) => alert.subject === subject));
  const fired = quiet.filter(({ value }) => isPast(rule, value)).map((measured) => fire(rule, measured, nowMs));
  return [...ongoing, ...fired];
}

function stateAlert(stated: StatedAlert, { firing }: AlertState, nowMs: number): Outcome {
  const earlier = firing.find((alert) => keyOf(alert) === keyOf(stated));
  if (earlier !== undefined) return { kind: 'firing', alert: { ...earlier, ...stated, peak: Math.max(earlier.peak, stated.value) } };
  const id = `${stated.ruleId}:${stated.subject ?? 'server'}:${nowMs}`;
  return { kind: 'fired', alert: { ...stated, id, sinceMs: nowMs, peak: stated.value, clearSinceMs: null } };
}

function fire(rule: AlertRule, measured: Measured, nowMs: number): Outcome {
  const { subject, value } = measured;
  const alert: FiringAlert = {
    id: `${rule.id}:${subject ?? 'server'}:${nowMs}`,
    ruleId: rule.id,
    name: rule.name,
    subject,
    sinceMs: nowMs,
    value,
    threshold: rule.threshold,
    sentence: sentenceOf(rule, measured),
    remedy: rule.remedy,
    peak: value,
    clearSinceMs: null,
  };
  return { kind: 'fired', alert };
}

function goOn(alert: FiringAlert, rule: AlertRule, measured: Measured | null, nowMs: number): Outcome {
  const isClear = measured === null || !isPast({ ...rule, threshold: rule.clearThreshold }, measured.value);
  // After a clock was set back, the time in which it was clear starts anew.
  const clearSinceMs = isClear ? Math.min(alert.clearSinceMs ?? nowMs, nowMs) : null;
  const current = measured === null ? alert : withValue(alert, rule, measured);
  const next: FiringAlert = { ...current, clearSinceMs };
  if (clearSinceMs === null || nowMs - clearSinceMs < rule.windowSeconds * 1000) return { kind: 'firing', alert: next };
  return ended(next, nowMs);
}

function withValue(alert: FiringAlert, rule: AlertRule, measured: Measured): FiringAlert {
  const { value } = measured;
  const peak = rule.comparison === 'above' ? Math.max(alert.peak, value) : Math.min(alert.peak, value);
  const { name, threshold, remedy } = rule;
  return { ...alert, name, threshold, remedy, value, peak, sentence: sentenceOf(rule, measured) };
}

function ended(alert: FiringAlert, nowMs: number): Extract<Outcome, { kind: 'ended' }> {
  return { kind: 'ended', alert: { ...alert, endedMs: Math.max(nowMs, alert.sinceMs) } };
}

function isPast({ comparison, threshold }: Pick<AlertRule, 'comparison' | 'threshold'>, value: number): boolean {
  return comparison === 'above' ? value > threshold : value < threshold;
}

function change(kind: AlertChange['kind'], alert: FiringAlert & { readonly endedMs?: number }, state: AlertState): AlertChange {
  const { clearSinceMs: _clearSinceMs, ...event } = alert;
  return { kind, alert: { ...event, endedMs: alert.endedMs ?? null }, muted: state.snoozes.has(keyOf(alert)) };
}

function snoozeEnds(state: AlertState, alert: FiringAlert, nowMs: number): boolean {
  const untilMs = state.snoozes.get(keyOf(alert));
  return untilMs !== undefined && untilMs <= nowMs;
}

function keyOf({ ruleId, subject }: Pick<AlertEvent, 'ruleId' | 'subject'>): string {
  return JSON.stringify([ruleId, subject]);
}
