// Owns the last decisions, for the screen that says why a model answered and for trying other policies on them.
import type { RouteAttempt, RouteDecision } from '../contract.ts';

const KEPT = 2_000;

interface Entry {
  readonly decision: Omit<RouteDecision, 'attempts'>;
  readonly attempts: RouteAttempt[];
}

export class DecisionLog {
  readonly #entries: Entry[] = [];
  readonly #byRequest = new Map<string, Entry>();

  /** Returns how to tell what became of it. */
  add(decision: Omit<RouteDecision, 'attempts'>): (attempt: RouteAttempt) => void {
    const entry: Entry = { decision, attempts: [] };
    this.#entries.push(entry);
    if (decision.requestId !== null) this.#byRequest.set(decision.requestId, entry);
    if (this.#entries.length > KEPT) this.#forget(this.#entries.shift());
    return (attempt) => {
      const last = entry.attempts.at(-1);
      if (last?.outcome === 'asked' && last.target === attempt.target) entry.attempts.pop();
      entry.attempts.push(attempt);
    };
  }

  /** Newest first. */
  latest(limit: number): readonly RouteDecision[] {
    return this.#entries.slice(-limit).reverse().map(seen);
  }

  /** Undefined when it was not routed, or is no longer kept. */
  of(requestId: string): RouteDecision | undefined {
    const entry = this.#byRequest.get(requestId);
    return entry && seen(entry);
  }

  #forget(entry: Entry | undefined): void {
    const requestId = entry?.decision.requestId ?? null;
    if (requestId !== null && this.#byRequest.get(requestId) === entry) this.#byRequest.delete(requestId);
  }
}

function seen({ decision, attempts }: Entry): RouteDecision {
  return { ...decision, attempts: [...attempts] };
}
