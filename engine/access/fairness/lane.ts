// Owns the queue for one model: lets requests through to the host as it has room for them, in fair order.
// Knows the host by the requests it takes, and nothing about HTTP or keys.
import { EngineError } from '../../errors.ts';
import { startInMs } from '../../fleet/eta.ts';
import type { GenerateRequest, Generation, GenerationProgress } from '../../fleet/host.ts';
import { RATE_WINDOW, retryAfterSeconds } from '../../fleet/retry-after.ts';
import type { GenerateEvent } from '../../runner/protocol.ts';
import { chooseNext, fairOrder, type LaneView } from './fair-order.ts';
import { Flow, refuse, type Entry } from './flow.ts';
import { chooseRefused } from './overflow.ts';

export interface LaneOptions {
  readonly generate: (request: GenerateRequest, onEvent: (event: GenerateEvent) => void) => Generation;
  /** Sequences that the model runs together, now. */
  readonly slots: () => number;
  /** Requests that wait or run at most. */
  readonly limit: number;
  /** Milliseconds, monotonic or since 1970. */
  readonly now: () => number;
}

/** How fast the mean of what a request takes follows: each new one counts for a tenth. */
const MEAN_GAIN = 0.1;
/** Foreseen of a request before the first has ended. */
const UNKNOWN_REQUEST_MS = 50;

export class Lane {
  readonly #options: LaneOptions;
  readonly #flows = new Map<string, Flow>();
  #clock = 0;
  #meanRequestMs = UNKNOWN_REQUEST_MS;
  #order: readonly number[] | null = null;
  #finishedAtMs: number[] = [];
  #busySinceMs = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Lets the request wait or run; a full queue refuses it, or another in its place, by an error event. */
  add(entry: Entry, flow: { readonly name: string; readonly weight: number }): void {
    const mine = this.#flows.get(flow.name) ?? new Flow(flow.name, flow.weight);
    this.#flows.set(flow.name, mine);
    if (this.#count === 0) this.#busySinceMs = this.#options.now();
    if (this.#count >= this.#options.limit && !this.#makeRoom(mine)) return refuse(entry, this.#full());
    mine.arrive(entry, this.#clock, this.#options.now());
    this.#pump();
  }

  /** No event follows. */
  cancel(entry: Entry): void {
    for (const flow of this.#flows.values()) {
      if (flow.unwait(entry)) entry.request.onSettled?.();
      else if (flow.running.delete(entry)) entry.generation?.cancel();
    }
    this.#pump();
  }

  /** Where a waiting request stands. */
  waitOf(entry: Entry): Pick<GenerationProgress, 'position' | 'etaMs'> {
    const { now } = this.#options;
    this.#order ??= fairOrder(this.#view());
    const starting = this.#all
      .filter((flow) => flow.running.size > 0)
      .flatMap((flow) => [...flow.running].filter(({ started }) => !started));
    const position = starting.length + this.#order.indexOf(entry.id) + 1;
    return { position, etaMs: startInMs(position, { finishedAtMs: this.#finishedAtMs, busySinceMs: this.#busySinceMs }, now()) };
  }

  /** Lets all through at once, in fair order: from now on the host itself refuses. */
  flush(): void {
    for (const id of fairOrder(this.#view())) this.#run(id);
  }

  get #all(): readonly Flow[] {
    return [...this.#flows.values()];
  }

  /** Requests that wait here, not yet in the model's own queue. */
  get waitingCount(): number {
    return this.#all.reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  get #count(): number {
    return this.#all.reduce((sum, { waiting, running }) => sum + waiting.length + running.size, 0);
  }

  #view(): LaneView {
    const nowMs = this.#options.now();
    const flows = this.#all.map((flow) => flow.view(this.#meanRequestMs, nowMs));
    return { flows, slots: this.#options.slots(), meanRequestMs: this.#meanRequestMs };
  }

  #pump(): void {
    this.#order = null;
    for (let next = chooseNext(this.#view()); next !== null; next = chooseNext(this.#view())) this.#run(next.id);
    this.#forget();
  }

  #run(id: number): void {
    const flow = this.#all.find(({ waiting }) => waiting.some((entry) => entry.id === id));
    const entry = flow?.waiting.find((waiting) => waiting.id === id);
    if (flow === undefined || entry === undefined) return;
    const { served } = flow.view(0, this.#options.now());
    this.#clock = Math.max(this.#clock, served);
    flow.unwait(entry);
    flow.running.add(entry);
    const onCharge = (deviceMs: number): void => {
      flow.charge(entry, deviceMs);
      entry.request.onCharge?.(deviceMs);
    };
    entry.sentMs = this.#options.now();
    entry.generation = this.#options.generate({ ...entry.request, onCharge }, (event) => this.#take(flow, entry, event));
  }

  #take(flow: Flow, entry: Entry, event: GenerateEvent): void {
    const isLast = event.kind === 'done' || event.kind === 'error';
    const isFirst = !entry.started;
    entry.started = true;
    if (isLast && flow.running.delete(entry)) this.#finished(entry);
    entry.onEvent(event);
    if (isLast || isFirst) this.#pump();
  }

  #finished({ chargedMs }: Entry): void {
    this.#finishedAtMs = [...this.#finishedAtMs.slice(1 - RATE_WINDOW), this.#options.now()];
    this.#meanRequestMs += (chargedMs - this.#meanRequestMs) * MEAN_GAIN;
  }

  /** True when somebody else's request was refused instead. */
  #makeRoom(mine: Flow): boolean {
    const shareOf = ({ name, weight, waiting }: Flow) => ({ name, weight, waiting: waiting.length });
    const chosen = this.#flows.get(chooseRefused(shareOf(mine), this.#all.map(shareOf)) ?? '');
    const youngest = chosen?.waiting.pop();
    if (youngest === undefined) return false;
    refuse(youngest, this.#full());
    return true;
  }

  #full(): EngineError {
    const { limit, now } = this.#options;
    const retry = retryAfterSeconds(this.#count, this.#finishedAtMs, now());
    return new EngineError('queue_full', `${limit} requests wait for this model already, which is the most it takes.`, {
      retryAfterSeconds: retry,
    });
  }

  /** Flows that are long gone. */
  #forget(): void {
    const nowMs = this.#options.now();
    for (const flow of this.#all) if (flow.isIdle && flow.recentPeak(nowMs) === 0) this.#flows.delete(flow.name);
  }
}
