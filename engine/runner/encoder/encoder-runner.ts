// Owns one loaded encoder's work: takes messages, tokenizes, hands texts to the batcher, reports.
// Knows nothing about processes; `main.ts` connects it to its parent.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { EngineError, toWireError } from '../../errors.ts';
import { collectGarbage } from '../../heap.ts';
import { systemMemory } from '../../ort/index.ts';
import type { EncodedBatch, FromRunner, RunnerStats, ToRunner } from '../protocol.ts';
import { Batcher } from './batcher.ts';
import type { CostModel } from './cost.ts';
import type { EncoderSession } from './encoder-session.ts';
import type { EncoderTokenizer } from './encoder-tokenizer.ts';
import type { BatchLimits } from './plan-batch.ts';

/** While there is work. */
const STATS_INTERVAL_MS = 500;
/** Without a request for one to two of these, what was kept for the next goes back to the machine. */
const IDLE_RELEASE_MS = 45_000;
/** Node's histogram counts the time between two ticks of this timer, so that much is no delay. */
const DELAY_RESOLUTION_MS = 10;

export interface EncoderRunnerPort {
  send(message: FromRunner): void;
  /** All work is done after `drain`. */
  drained(): void;
}

export interface EncoderRunnerOptions {
  readonly session: EncoderSession;
  readonly tokenizer: Pick<EncoderTokenizer, 'tokenize' | 'dispose'>;
  readonly cost: CostModel;
  readonly limits: BatchLimits;
  /** Most requests under way. */
  readonly maxRequests: number;
}

type Message = Exclude<ToRunner, { kind: 'load' }>;
type EncodeMessage = Extract<Message, { kind: 'encode' }>;

export class EncoderRunner {
  readonly #options: EncoderRunnerOptions;
  readonly #port: EncoderRunnerPort;
  readonly #batcher: Batcher;
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  /** Rows that each request still lacks. */
  readonly #missing = new Map<number, number>();
  /** Cancelled requests with texts in the batch that runs: they pay for it. */
  readonly #leaving = new Set<number>();
  #isDraining = false;
  #statsTimer: NodeJS.Timeout | null = null;
  readonly #relaxTimer: NodeJS.Timeout;
  /** Used since the last look; not used since; and already given back. */
  #use: 'used' | 'resting' | 'relaxed' = 'used';

  constructor(options: EncoderRunnerOptions, port: EncoderRunnerPort) {
    this.#options = options;
    this.#port = port;
    this.#delay.enable();
    this.#relaxTimer = setInterval(() => this.#relax(), IDLE_RELEASE_MS);
    this.#relaxTimer.unref();
    this.#batcher = new Batcher({
      session: options.session,
      limits: options.limits,
      cost: options.cost,
      now: () => performance.now(),
      after: (delayMs, wake) => {
        const timer = setTimeout(wake, delayMs);
        return () => clearTimeout(timer);
      },
      onRows: (batch) => this.#deliver(batch),
      onRefused: (id, error) => this.#refuse(id, error),
    });
  }

  handle(message: Message): void {
    switch (message.kind) {
      case 'encode':
        return void this.#encode(message);
      case 'tokenize':
      case 'generate':
      case 'infer':
        return this.#tell(
          message.id,
          new EngineError('invalid_request', 'This model makes vectors or scores, no text.', { param: 'model' }),
        );
      case 'cancel':
        return this.#cancel(message.id);
      case 'drain':
        this.#isDraining = true;
        return this.#settle();
    }
  }

  dispose(): void {
    this.#delay.disable();
    clearInterval(this.#relaxTimer);
    if (this.#statsTimer !== null) clearInterval(this.#statsTimer);
    this.#options.tokenizer.dispose();
    this.#options.session.dispose();
  }

  #relax(): void {
    if (this.#use === 'used' || this.#missing.size > 0) this.#use = 'resting';
    else if (this.#use === 'resting') {
      collectGarbage();
      systemMemory().trim();
      this.#use = 'relaxed';
    }
  }

  async #encode(message: EncodeMessage): Promise<void> {
    const { id, inputs } = message;
    const refusal = this.#refusalOf(message);
    if (refusal !== null) return this.#tell(id, refusal);
    this.#missing.set(id, inputs.length);
    this.#use = 'used';
    this.#statsTimer ??= setInterval(() => this.#sendStats(), STATS_INTERVAL_MS);
    try {
      await this.#queueTexts(message);
    } catch (error) {
      if (this.#missing.has(id)) this.#refuse(id, error);
    }
  }

  #refusalOf({ inputs }: EncodeMessage): EngineError | null {
    if (this.#isDraining) return new EngineError('draining', 'The model is being unloaded.');
    if (this.#missing.size >= this.#options.maxRequests)
      return new EngineError('queue_full', 'Too many requests are waiting for this model.');
    return inputs.length === 0 ? new EngineError('invalid_request', 'There is no text to encode.', { param: 'input' }) : null;
  }

  async #queueTexts({ id, inputs, params }: EncodeMessage): Promise<void> {
    const arrivedMs = performance.now();
    let first = 0;
    for await (const texts of this.#options.tokenizer.tokenize(inputs, params.truncate)) {
      if (!this.#missing.has(id)) return;
      this.#batcher.add({ id, caller: params.caller, arrivedMs, deadlineMs: arrivedMs + params.deadlineMs, first, texts });
      first += texts.length;
    }
  }

  #cancel(id: number): void {
    if (!this.#missing.has(id)) return;
    if (this.#batcher.computes(id)) this.#leaving.add(id);
    else this.#tellSettled([id]);
    this.#end(id);
  }

  #tellSettled(ids: readonly number[]): void {
    if (ids.length > 0) this.#port.send({ kind: 'charges', charges: [], settled: ids });
  }

  /** Rows of requests that have left meanwhile are sent too; the other side knows nobody who wants them. */
  #deliver(batch: EncodedBatch): void {
    this.#port.send({ kind: 'encoded', batch });
    this.#tellSettled([...this.#leaving]);
    this.#leaving.clear();
    for (const { id } of batch.rows) {
      const missing = this.#missing.get(id);
      if (missing === undefined) continue;
      if (missing === 1) this.#end(id);
      else this.#missing.set(id, missing - 1);
    }
    if (this.#isDraining) this.#settle();
  }

  #refuse(id: number, error: unknown): void {
    this.#end(id);
    this.#tell(id, error);
  }

  #tell(id: number, error: unknown): void {
    this.#port.send({ kind: 'events', events: [{ kind: 'error', id, error: toWireError(error) }] });
  }

  #end(id: number): void {
    this.#missing.delete(id);
    this.#batcher.drop(id);
    if (this.#missing.size === 0) this.#settle();
  }

  /** Nothing to do for now. */
  #settle(): void {
    if (this.#missing.size > 0) return;
    if (this.#statsTimer !== null) clearInterval(this.#statsTimer);
    this.#statsTimer = null;
    this.#sendStats();
    // A batch of requests that were cancelled may still be on the device; its end leads here again.
    if (this.#isDraining && this.#batcher.isIdle) this.#port.drained();
  }

  #sendStats(): void {
    this.#port.send({ kind: 'stats', stats: this.#stats() });
  }

  #stats(): RunnerStats {
    const { batches, tokens, busyMs, ...encoder } = this.#batcher.stats();
    const p99 = this.#delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS;
    this.#delay.reset();
    return {
      running: this.#batcher.runningCount,
      waiting: this.#batcher.waitingCount,
      slots: this.#options.limits.maxBatchSize,
      kvUsedTokens: 0,
      kvCommittedBytes: 0,
      steps: batches,
      prefillTokens: tokens,
      decodeSteps: 0,
      decodeTokens: 0,
      preemptions: 0,
      eventLoopDelayP99Ms: Math.max(0, p99),
      busyMs,
      meanBatch: encoder.meanBatchSize === 0 ? null : encoder.meanBatchSize,
      slotUse: [],
      encoder,
    };
  }
}
