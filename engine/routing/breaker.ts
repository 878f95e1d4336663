// Owns the rules of a circuit breaker: a target that keeps failing is left alone, then tried with one request. Pure; times are the caller's.
import type { CircuitState } from '../contract.ts';

export interface Circuit {
  readonly state: CircuitState;
  /** Failures in a row. */
  readonly failures: number;
  /** Times it has opened in a row. */
  readonly openings: number;
  /** When it may be tried again; of no meaning unless `open`. */
  readonly retryAtMs: number;
}

export const CLOSED: Circuit = { state: 'closed', failures: 0, openings: 0, retryAtMs: 0 };

const FAILURES = 3;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 120_000;

/** Whether a request may go there now; of a half-open circuit only one at a time may. */
export function admits(circuit: Circuit, nowMs: number): boolean {
  return circuit.state === 'closed' || (circuit.state === 'open' && nowMs >= circuit.retryAtMs);
}

/** A request goes there. */
export function onTry(circuit: Circuit): Circuit {
  return circuit.state === 'open' ? { ...circuit, state: 'half_open' } : circuit;
}

export function onSuccess(): Circuit {
  return CLOSED;
}

/** A request left before it could tell how the target is. */
export function onUnknown(circuit: Circuit, nowMs: number): Circuit {
  return circuit.state === 'half_open' ? { ...circuit, state: 'open', retryAtMs: nowMs } : circuit;
}

/** `retryAfterMs`: what the target itself asks for. `jitter`: 0 to 1, so that not all of its clients come back at once. */
export function onFailure(circuit: Circuit, nowMs: number, retryAfterMs: number | null, jitter: number): Circuit {
  const failures = circuit.failures + 1;
  if (circuit.state === 'closed' && failures < FAILURES && retryAfterMs === null) return { ...circuit, failures };
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** circuit.openings) * (0.75 + jitter / 2);
  return { state: 'open', failures, openings: circuit.openings + 1, retryAtMs: nowMs + Math.max(retryAfterMs ?? 0, pauseMs) };
}
