// Owns the one connection that follows the engine: the last snapshot, and whether more are coming. Knows nothing about React.
import type { NowSnapshot } from '../../../engine/contract.ts';

export interface LiveState {
  /** The last snapshot; null before the first. */
  readonly now: NowSnapshot | null;
  readonly connection: 'connecting' | 'live' | 'lost';
  /** When the last snapshot came, by this browser's clock; null before the first. */
  readonly heardAtMs: number | null;
  /** Counts the connections that were made, so that a plot knows when to ask for what it missed. */
  readonly connections: number;
}

/** The engine sends twice a second; after this long without a word the connection counts as lost. */
const SILENCE_MS = 5_000;
const RETRY_MS = 1_000;

export class LiveFeed {
  readonly #listeners = new Set<() => void>();
  #state: LiveState = { now: null, connection: 'connecting', heardAtMs: null, connections: 0 };
  #source: EventSource | null = null;
  #watch: ReturnType<typeof setTimeout> | undefined;

  readonly read = (): LiveState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Connects, and stays connected until `stop`. */
  start(): void {
    this.stop();
    const source = new EventSource('/api/live');
    this.#source = source;
    source.addEventListener('open', () => this.#update({ connections: this.#state.connections + 1 }));
    source.addEventListener('now', (event: MessageEvent<string>) => this.#hear(event.data));
    // The browser connects again by itself after most errors, not after all: a new source covers both.
    source.addEventListener('error', () => this.#lose());
    this.#expectWithin(SILENCE_MS);
  }

  stop(): void {
    clearTimeout(this.#watch);
    this.#source?.close();
    this.#source = null;
  }

  #hear(data: string): void {
    this.#expectWithin(SILENCE_MS);
    this.#update({ now: JSON.parse(data) as NowSnapshot, connection: 'live', heardAtMs: Date.now() });
  }

  #lose(): void {
    this.stop();
    if (this.#state.connection !== 'lost') this.#update({ connection: 'lost' });
    this.#watch = setTimeout(() => this.start(), RETRY_MS);
  }

  #expectWithin(ms: number): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#lose(), ms);
  }

  #update(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
