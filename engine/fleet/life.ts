// Decides how the process of one model lives: when it is started, restarted, given up or ended.
// Pure: no clock, no process; the replica carries out the actions.
import { EngineError, toWireError, type WireError } from '../errors.ts';
import type { RunnerInfo } from '../runner/protocol.ts';

export type Life =
  /** No process, and none wanted. */
  | { readonly kind: 'down'; readonly deaths: number }
  | { readonly kind: 'loading'; readonly sinceMs: number; readonly deaths: number }
  | { readonly kind: 'ready'; readonly sinceMs: number; readonly deaths: number; readonly info: RunnerInfo }
  /** The process died; the next one starts at `untilMs`. */
  | { readonly kind: 'backoff'; readonly untilMs: number; readonly deaths: number }
  /** Requests are refused with `error` until `untilMs`; the first after that tries again. */
  | { readonly kind: 'failed'; readonly untilMs: number; readonly deaths: number; readonly error: WireError }
  /** Told to finish what runs; its end is expected. */
  | { readonly kind: 'stopping' };

export type LifeEvent =
  | { readonly kind: 'wanted' }
  | { readonly kind: 'ready'; readonly info: RunnerInfo }
  | { readonly kind: 'loadFailed'; readonly error: WireError }
  | { readonly kind: 'exited'; readonly how: string }
  | { readonly kind: 'retryDue' }
  | { readonly kind: 'unload' };

export type LifeAction =
  | { readonly kind: 'spawn' }
  | { readonly kind: 'sendWaiting' }
  | { readonly kind: 'failWaiting'; readonly error: WireError }
  | { readonly kind: 'scheduleRetry'; readonly delayMs: number }
  | { readonly kind: 'drainProcess' }
  | { readonly kind: 'killProcess' };

export interface LifeStep {
  readonly life: Life;
  readonly actions: readonly LifeAction[];
}

export interface LifeLimits {
  /** Delay before the second restart in a row; doubles with each further one. The first restart is at once. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** Deaths in a row after which the model is given up for `failedMs`. */
  readonly maxDeaths: number;
  /** A process that was ready this long ends the row of deaths. */
  readonly stableMs: number;
  /** How long a failed load is answered with its own error before it is tried again. */
  readonly failedMs: number;
}

export const LIFE_LIMITS: LifeLimits = { backoffMs: 250, maxBackoffMs: 30_000, maxDeaths: 6, stableMs: 60_000, failedMs: 5_000 };

export const UNLOADED: Life = { kind: 'down', deaths: 0 };

/** The life after `event` and what to do about it. Events that mean nothing in this state change nothing. */
export function stepLife(life: Life, event: LifeEvent, nowMs: number, limits: LifeLimits): LifeStep {
  switch (event.kind) {
    case 'wanted':
      return onWanted(life, nowMs);
    case 'ready':
      return onReady(life, event.info, nowMs);
    case 'loadFailed':
      return onLoadFailed(life, event.error, nowMs, limits);
    case 'exited':
      return onExited(life, event.how, nowMs, limits);
    case 'retryDue':
      return life.kind === 'backoff' ? spawn(life.deaths, nowMs) : stay(life);
    case 'unload':
      return onUnload(life);
  }
}

function onWanted(life: Life, nowMs: number): LifeStep {
  if (life.kind === 'down') return spawn(life.deaths, nowMs);
  if (life.kind === 'ready') return { life, actions: [{ kind: 'sendWaiting' }] };
  if (life.kind !== 'failed') return stay(life);
  if (nowMs >= life.untilMs) return spawn(life.deaths, nowMs);
  return { life, actions: [{ kind: 'failWaiting', error: life.error }] };
}

function onReady(life: Life, info: RunnerInfo, nowMs: number): LifeStep {
  if (life.kind !== 'loading') return stay(life);
  return { life: { kind: 'ready', sinceMs: nowMs, deaths: life.deaths, info }, actions: [{ kind: 'sendWaiting' }] };
}

function onLoadFailed(life: Life, error: WireError, nowMs: number, limits: LifeLimits): LifeStep {
  if (life.kind !== 'loading') return stay(life);
  return {
    life: { kind: 'failed', untilMs: nowMs + limits.failedMs, deaths: life.deaths, error },
    actions: [{ kind: 'killProcess' }, { kind: 'failWaiting', error }],
  };
}

function onExited(life: Life, how: string, nowMs: number, limits: LifeLimits): LifeStep {
  if (life.kind === 'stopping') return stay(UNLOADED);
  if (life.kind !== 'loading' && life.kind !== 'ready') return stay(life);
  const wasStable = life.kind === 'ready' && nowMs - life.sinceMs >= limits.stableMs;
  const deaths = wasStable ? 1 : life.deaths + 1;
  if (deaths >= limits.maxDeaths) return giveUp(deaths, how, nowMs, limits);
  const delayMs = deaths === 1 ? 0 : Math.min(limits.maxBackoffMs, limits.backoffMs * 2 ** (deaths - 2));
  return { life: { kind: 'backoff', untilMs: nowMs + delayMs, deaths }, actions: [{ kind: 'scheduleRetry', delayMs }] };
}

/** The row of deaths goes on with the next try, so that a model which always dies costs one start per `failedMs`. */
function giveUp(deaths: number, how: string, nowMs: number, limits: LifeLimits): LifeStep {
  const message = `The process of this model ended ${deaths} times in a row, last with ${how}.`;
  const error = toWireError(new EngineError('model_load_failed', message, { retryAfterSeconds: Math.ceil(limits.failedMs / 1000) }));
  return {
    life: { kind: 'failed', untilMs: nowMs + limits.failedMs, deaths: limits.maxDeaths - 1, error },
    actions: [{ kind: 'failWaiting', error }],
  };
}

function onUnload(life: Life): LifeStep {
  if (life.kind === 'ready') return { life: { kind: 'stopping' }, actions: [{ kind: 'drainProcess' }] };
  if (life.kind === 'loading') return { life: { kind: 'stopping' }, actions: [{ kind: 'killProcess' }] };
  return stay(life.kind === 'stopping' ? life : UNLOADED);
}

function spawn(deaths: number, nowMs: number): LifeStep {
  return { life: { kind: 'loading', sinceMs: nowMs, deaths }, actions: [{ kind: 'spawn' }] };
}

function stay(life: Life): LifeStep {
  return { life, actions: [] };
}
