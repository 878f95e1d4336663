// Owns the texts from their arrival to their row: lets `planBatch` decide, runs the session, counts what each request still lacks.
// One run at a time. Knows nothing about tokenizing or messages.
import { EngineError } from '../../errors.ts';
import { shareTime } from '../device-time.ts';
import type { EncodedBatch } from '../protocol.ts';
import { meanGapMs, NO_ARRIVALS, withArrivals } from './arrival-rate.ts';
import { BatchMeter, type BatchReport } from './batch-meter.ts';
import type { CostModel } from './cost.ts';
import type { EncoderSession, EncoderText } from './encoder-session.ts';
import { planBatch, type BatchDecision, type BatchLimits } from './plan-batch.ts';
import { TextQueue, type WaitingText } from './text-queue.ts';

export interface BatcherOptions {
  readonly session: EncoderSession;
  readonly limits: BatchLimits;
  readonly cost: CostModel;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Calls back after `delayMs`; returns how to call it off. */
  readonly after: (delayMs: number, wake: () => void) => () => void;
  readonly onRows: (batch: EncodedBatch) => void;
  /** The request is over; none of its rows follows. */
  readonly onRefused: (id: number, error: EngineError) => void;
  /** Every decision, for the log and for tests. */
  readonly onDecision?: (decision: BatchDecision) => void;
}

export interface TextsOfRequest {
  readonly id: number;
  readonly caller: string;
  readonly arrivedMs: number;
  readonly deadlineMs: number;
  /** Place of the first of these texts among the request's inputs. */
  readonly first: number;
  readonly texts: readonly EncoderText[];
}

export class Batcher {
  readonly #options: BatcherOptions;
  readonly #queue = new TextQueue();
  readonly #meter = new BatchMeter();
  /** Deadline of each request that has texts here. */
  readonly #deadlines = new Map<number, number>();
  #arrivals = NO_ARRIVALS;
  #freeSinceMs: number;
  #running: readonly WaitingText[] | null = null;
  #callOff: (() => void) | null = null;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#freeSinceMs = options.now();
  }

  get waitingCount(): number {
    return this.#queue.count;
  }

  get runningCount(): number {
    return this.#running?.length ?? 0;
  }

  get isIdle(): boolean {
    return this.#queue.count === 0 && this.#running === null;
  }

  /** Texts of one request, all at once or portion by portion. */
  add({ texts, first, ...request }: TextsOfRequest): void {
    this.#deadlines.set(request.id, request.deadlineMs);
    this.#arrivals = withArrivals(this.#arrivals, texts.length, this.#options.now());
    this.#queue.add(texts.map((text, at) => ({ ...request, ...text, input: first + at, tokenCount: text.tokens.length })));
    this.#advance();
  }

  /** Nobody wants these rows any longer; what runs is computed to its end, and not told. */
  drop(id: number): void {
    this.#deadlines.delete(id);
    this.#queue.drop(new Set([id]));
  }

  /** Whether the batch on the device has texts of this request. */
  computes(id: number): boolean {
    return this.#running?.some((text) => text.id === id) === true;
  }

  /** What happened since the last call, and totals. */
  stats(): BatchReport {
    return this.#meter.report(this.#options.limits.tokenBudget, this.#options.now());
  }

  #advance(): void {
    if (this.#running !== null) return;
    this.#callOff?.();
    this.#callOff = null;
    this.#refuseLate();
    const decision = this.#decide();
    this.#options.onDecision?.(decision);
    if (decision.kind === 'wait')
      this.#callOff = this.#options.after(Math.max(0, decision.untilMs - this.#options.now()), () => this.#advance());
    if (decision.kind === 'run') this.#start(this.#queue.take(decision.count));
  }

  #decide(): BatchDecision {
    const { now, limits, cost } = this.#options;
    const nowMs = now();
    return planBatch({
      nowMs,
      limits,
      cost,
      waiting: this.#queue.peek(limits.maxBatchSize + 1),
      freeSinceMs: this.#freeSinceMs,
      meanGapMs: meanGapMs(this.#arrivals, nowMs),
    });
  }

  #start(texts: readonly WaitingText[]): void {
    const startedMs = this.#options.now();
    this.#running = texts;
    this.#meter.started(texts, startedMs);
    this.#options.session.run(texts).then(
      (values) => this.#finish(texts, values, startedMs),
      (error: unknown) =>
        // A run that fails leaves the session in an unknown state. The process ends; the fleet starts another.
        queueMicrotask(() => {
          throw error;
        }),
    );
  }

  /** The next batch is on the device before the rows of this one are told. */
  #finish(texts: readonly WaitingText[], values: Float32Array, startedMs: number): void {
    this.#running = null;
    this.#freeSinceMs = this.#options.now();
    const shares = shareTime(
      this.#freeSinceMs - startedMs,
      texts.map(({ tokenCount }) => tokenCount),
    );
    this.#meter.finished(shares);
    this.#advance();
    const rows = texts.map(({ id, input, tokenCount }, at) => ({ id, input, tokens: tokenCount, deviceMs: shares[at] ?? 0 }));
    this.#options.onRows({ rows, values });
  }

  #refuseLate(): void {
    const nowMs = this.#options.now();
    const late = [...this.#deadlines].filter(([, deadlineMs]) => deadlineMs <= nowMs).map(([id]) => id);
    if (late.length === 0) return;
    this.#queue.drop(new Set(late));
    for (const id of late) {
      this.#deadlines.delete(id);
      this.#options.onRefused(id, new EngineError('deadline_exceeded', 'The request waited longer than its deadline.'));
    }
  }
}
