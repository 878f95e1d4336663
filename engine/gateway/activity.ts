// Owns what is open in the gateway: the runs under way, and whether new ones are taken (serving or paused, at last draining).
// Knows nothing about HTTP.
import { EngineError } from '../errors.ts';

/** Nobody knows how long a pause lasts. */
const PAUSED_RETRY_SECONDS = 30;

const LONG_IDLE_MS = 45_000;

/** Something under way that can be ended from outside. */
export interface OpenRun {
  fail(error: EngineError): void;
}

export class Activity {
  readonly #open = new Set<OpenRun>();
  readonly #retrySeconds: number;
  #draining = false;
  #paused = false;
  #whenIdle: (() => void) | null = null;
  readonly #afterLongIdle: () => void;
  #idleTimer: NodeJS.Timeout | undefined;

  /** `afterLongIdle` is called when nothing has been open for a while. */
  constructor(retrySeconds: number, afterLongIdle: () => void = () => undefined) {
    this.#retrySeconds = retrySeconds;
    this.#afterLongIdle = afterLongIdle;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get state(): 'serving' | 'paused' | 'draining' {
    if (this.#draining) return 'draining';
    return this.#paused ? 'paused' : 'serving';
  }

  /** While paused no new runs are taken; those that are open go on. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** @throws EngineError `draining`, `paused` */
  begin(run: OpenRun): void {
    if (this.#draining) throw this.#refusal();
    if (this.#paused) throw paused();
    clearTimeout(this.#idleTimer);
    this.#open.add(run);
  }

  end(run: OpenRun): void {
    this.#open.delete(run);
    if (this.#open.size > 0) return;
    this.#whenIdle?.();
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(this.#afterLongIdle, LONG_IDLE_MS).unref();
  }

  /** Takes no new runs; waits until the open ones end, at most `drainMs`, then fails those that are left. */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true;
    if (this.#open.size > 0) await this.#idleWithin(drainMs);
    for (const run of this.#open) run.fail(this.#refusal());
  }

  #idleWithin(drainMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      this.#whenIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #refusal(): EngineError {
    return new EngineError('draining', 'The server is shutting down.', { retryAfterSeconds: this.#retrySeconds });
  }
}

function paused(): EngineError {
  return new EngineError('paused', 'The server is paused; resume it in its console.', { retryAfterSeconds: PAUSED_RETRY_SECONDS });
}
