// Owns the requests of one tenant and priority for one model: which wait, which run, and the device time they used.
import { toWireError, type EngineError } from '../../errors.ts';
import type { GenerateRequest, Generation } from '../../fleet/host.ts';
import type { GenerateEvent } from '../../runner/protocol.ts';
import type { FlowView } from './fair-order.ts';

export interface Entry {
  readonly id: number;
  readonly request: GenerateRequest;
  readonly onEvent: (event: GenerateEvent) => void;
  readonly arrivedMs: number;
  /** When it was handed on; null while it waits. */
  sentMs: number | null;
  /** Null while it waits. */
  generation: Generation | null;
  /** It has made a token, or read its prompt. */
  started: boolean;
  /** Device time it was charged, in ms. */
  chargedMs: number;
}

/** For so long others leave room for a flow that is not there any more. */
const RECENT_MS = 60_000;

export class Flow {
  readonly name: string;
  readonly weight: number;
  waiting: Entry[] = [];
  readonly running = new Set<Entry>();
  /** Device time over weight, in ms, on the lane's clock. */
  #served = 0;
  #peak = 0;
  #peakBefore = 0;
  #peakSinceMs = 0;

  constructor(name: string, weight: number) {
    this.name = name;
    this.weight = weight;
  }

  get isIdle(): boolean {
    return this.waiting.length === 0 && this.running.size === 0;
  }

  /** Whoever comes anew starts at the present of the shared clock: nothing is owed for absence. */
  arrive(entry: Entry, clock: number, nowMs: number): void {
    if (this.isIdle) this.#served = Math.max(this.#served, clock);
    this.waiting.push(entry);
    this.#notePeak(nowMs);
  }

  charge(entry: Entry, deviceMs: number): void {
    entry.chargedMs += deviceMs;
    this.#served += deviceMs / this.weight;
  }

  /** Takes a request from those that wait; false: it is not among them. */
  unwait(entry: Entry): boolean {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((other) => other !== entry);
    return this.waiting.length < before;
  }

  /** What running requests will still be charged is counted ahead, so that a burst does not pass for nothing. */
  view(meanRequestMs: number, nowMs: number): FlowView {
    const running = [...this.running];
    const foreseen = running.reduce((sum, { chargedMs }) => sum + Math.max(0, meanRequestMs - chargedMs), 0);
    return {
      name: this.name,
      weight: this.weight,
      served: this.#served + foreseen / this.weight,
      waiting: this.waiting.map(({ id, request }) => ({ id, sequences: request.params.n })),
      running: sequences(running),
      starting: running.filter(({ started }) => !started).length,
      recentPeak: this.recentPeak(nowMs),
    };
  }

  /** Most sequences that were under way or waiting at once in the last one to two minutes. */
  recentPeak(nowMs: number): number {
    this.#notePeak(nowMs);
    return Math.max(this.#peak, this.#peakBefore);
  }

  #notePeak(nowMs: number): void {
    const passedMs = nowMs - this.#peakSinceMs;
    if (passedMs >= RECENT_MS) {
      this.#peakBefore = passedMs >= 2 * RECENT_MS ? 0 : this.#peak;
      this.#peak = 0;
      this.#peakSinceMs = nowMs;
    }
    this.#peak = Math.max(this.#peak, sequences(this.waiting) + sequences([...this.running]));
  }
}

function sequences(entries: readonly Entry[]): number {
  return entries.reduce((sum, { request }) => sum + request.params.n, 0);
}

/** Ends a request with an error as its only event. */
export function refuse(entry: Entry, error: EngineError): void {
  entry.onEvent({ kind: 'error', id: entry.id, error: toWireError(error) });
}
