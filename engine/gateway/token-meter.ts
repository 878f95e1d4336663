// Owns the count of tokens made in the last seconds, model by model, for the page.
// Knows nothing about requests; the clock is the caller's.

const WINDOW_SECONDS = 5;

interface Second {
  readonly second: number;
  tokens: number;
}

export class TokenMeter {
  readonly #seconds = new Map<string, Second[]>();

  add(model: string, tokens: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const seconds = this.#recent(model, second);
    const last = seconds.at(-1);
    if (last?.second === second) last.tokens += tokens;
    else seconds.push({ second, tokens });
    this.#seconds.set(model, seconds);
  }

  /** Tokens per second over the last whole seconds of the window; a model that has just begun is judged by the seconds it had. */
  rate(model: string, nowMs: number): number {
    const now = Math.floor(nowMs / 1000);
    const whole = this.#recent(model, now).filter((entry) => entry.second < now);
    const first = whole[0];
    if (first === undefined) return 0;
    const tokens = whole.reduce((total, entry) => total + entry.tokens, 0);
    return tokens / (now - first.second);
  }

  #recent(model: string, now: number): Second[] {
    return (this.#seconds.get(model) ?? []).filter((entry) => entry.second >= now - WINDOW_SECONDS);
  }
}
