// Owns what one arm of a canary showed: answers, failures, and the times of the latest. Knows nothing about the other arm.
import type { CanaryArm } from '../../contract.ts';
import type { MeasuredAnswer } from '../target-stats.ts';

/** Answers whose times are kept. */
const LATEST = 200;

export class Arm {
  readonly #variant: string;
  #requests = 0;
  #failures = 0;
  #ttftMs: readonly number[] = [];
  #tokenMs: readonly number[] = [];

  constructor(variant: string) {
    this.#variant = variant;
  }

  answered({ ttftMs, totalMs, usage, timings }: MeasuredAnswer): void {
    this.#requests += 1;
    this.#ttftMs = withLatest(this.#ttftMs, Math.max(0, ttftMs - timings.queueMs));
    if (usage.completionTokens > 1) this.#tokenMs = withLatest(this.#tokenMs, (totalMs - ttftMs) / (usage.completionTokens - 1));
  }

  failed(): void {
    this.#requests += 1;
    this.#failures += 1;
  }

  get facts(): CanaryArm {
    const times = { ttftMs: median(this.#ttftMs), tokenMs: median(this.#tokenMs) };
    return { variant: this.#variant, requests: this.#requests, failures: this.#failures, ...times };
  }
}

function withLatest(values: readonly number[], value: number): readonly number[] {
  return [...values, value].slice(-LATEST);
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}
