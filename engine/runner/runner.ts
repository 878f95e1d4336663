// Owns one loaded model's work: takes messages, tokenizes, schedules, reports. The step loop runs while there is something to do.
// Knows nothing about processes; `main.ts` connects it to its parent.
import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { EngineError, toWireError } from '../errors.ts';
import { collectGarbage } from '../heap.ts';
import type { CompiledGrammar } from './grammar/token-filter.ts';
import { systemMemory } from '../ort/index.ts';
import type { LoadedModel } from './load-model.ts';
import type { FromRunner, GenerateParams, PromptInput, RunnerOptions, RunnerStats, ToRunner } from './protocol.ts';
import { Scheduler } from './scheduler.ts';
import { meanBatchSince } from './device-time.ts';

/** Tokens of one prefill chunk: the longest that a running stream waits for. */
const CHUNK_TOKENS = 128;
/** While there is work: live screens move at this rate. An idle runner's figures do not change. */
const STATS_INTERVAL_MS = 500;
/** Node's histogram counts the time between two ticks of this timer, so that much is no delay. */
const DELAY_RESOLUTION_MS = 10;
/** Kept prefixes and scratch memory are given back after this long without a request. */
const IDLE_RELEASE_MS = 45_000;

export interface RunnerPort {
  send(message: FromRunner): void;
  /** All work is done after `drain`. */
  drained(): void;
}

type Message = Exclude<ToRunner, { kind: 'load' }>;

export class Runner {
  readonly #model: LoadedModel;
  readonly #port: RunnerPort;
  readonly #scheduler: Scheduler;
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  /** Requests whose prompt is being tokenized. */
  readonly #tokenizing = new Set<number>();
  /** Counters at the last report. */
  #reported = { decodeSteps: 0, decodeTokens: 0 };
  #isStepping = false;
  #isDraining = false;
  #statsTimer: NodeJS.Timeout | null = null;
  #idleTimer: NodeJS.Timeout | null = null;

  constructor(model: LoadedModel, options: RunnerOptions, port: RunnerPort) {
    this.#model = model;
    this.#port = port;
    this.#delay.enable();
    this.#scheduler = new Scheduler({
      session: model.session,
      vocab: model.vocab,
      contextLength: model.capacity.contextLength,
      budgetTokens: model.capacity.budgetTokens,
      chunkTokens: CHUNK_TOKENS,
      maxWaiting: options.maxWaiting,
      eosTokens: model.manifest.tokenizer.eosTokens,
      bosToken: model.manifest.tokenizer.bosToken,
      speculation: options.speculation,
      now: () => performance.now(),
      randomSeed: () => randomBytes(8).readBigUInt64LE(),
      emit: (events) => port.send({ kind: 'events', events }),
      onAdmitted: (id) => port.send({ kind: 'admitted', id }),
      onCharges: (charges, settled) => port.send({ kind: 'charges', charges, settled }),
    });
  }

  handle(message: Message): void {
    switch (message.kind) {
      case 'generate':
        return void this.#generate(message.id, message.prompt, message.params);
      case 'tokenize':
        return void this.#tokenize(message.id, message.prompt);
      case 'infer':
      case 'encode':
        return this.#refuseEncode(message.id);
      case 'cancel':
        // One that is being tokenized has used no device; of the others the scheduler tells.
        if (this.#tokenizing.delete(message.id)) this.#port.send({ kind: 'charges', charges: [], settled: [message.id] });
        this.#scheduler.cancel(message.id);
        return this.#wake();
      case 'drain':
        this.#isDraining = true;
        return this.#wake();
    }
  }

  dispose(): void {
    this.#delay.disable();
    if (this.#statsTimer !== null) clearInterval(this.#statsTimer);
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#model.tokenizer.dispose();
    this.#model.grammars.dispose();
    this.#model.session.dispose();
  }

  stats(): RunnerStats {
    const { slots, totals } = this.#scheduler;
    const p99 = this.#delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS;
    this.#delay.reset();
    const meanBatch = meanBatchSince(this.#reported, totals);
    this.#reported = { ...totals };
    return {
      running: slots.runningCount,
      waiting: this.#scheduler.waitingCount + this.#tokenizing.size,
      slots: this.#model.capacity.slotCount,
      kvUsedTokens: slots.usedTokens,
      kvCommittedBytes: slots.committedTokens * this.#model.session.bytesPerToken,
      ...totals,
      eventLoopDelayP99Ms: Math.max(0, p99),
      busyMs: this.#scheduler.busyMs,
      meanBatch,
      slotUse: slots.use(),
    };
  }

  async #generate(id: number, prompt: PromptInput, params: GenerateParams): Promise<void> {
    try {
      if (this.#isDraining) throw new EngineError('draining', 'The model is being unloaded.');
      if (this.#scheduler.isFull(this.#tokenizing.size))
        throw new EngineError('queue_full', 'Too many requests are waiting for this model.');
      this.#tokenizing.add(id);
      const [promptTokens, grammar] = await Promise.all([this.#model.tokenizer.tokenize(prompt), this.#compile(params)]);
      if (!this.#tokenizing.has(id)) return;
      this.#scheduler.submit({ id, promptTokens, promptField: prompt.kind === 'chat' ? 'messages' : 'prompt', params, grammar });
    } catch (error) {
      if (!this.#isCancelled(id, error)) this.#port.send({ kind: 'events', events: [{ kind: 'error', id, error: toWireError(error) }] });
    } finally {
      this.#tokenizing.delete(id);
      this.#wake();
    }
  }

  #compile({ grammar }: GenerateParams): Promise<CompiledGrammar> | null {
    return grammar === undefined ? null : this.#model.grammars.compile(grammar);
  }

  /** A refusal that nobody waits for any longer. Requests refused before they were tokenized are always told. */
  #isCancelled(id: number, error: unknown): boolean {
    const isEarly = error instanceof EngineError && (error.code === 'draining' || error.code === 'queue_full');
    return !isEarly && !this.#tokenizing.has(id);
  }

  async #tokenize(id: number, prompt: PromptInput): Promise<void> {
    try {
      this.#port.send({ kind: 'tokens', id, tokens: Array.from(await this.#model.tokenizer.tokenize(prompt)) });
    } catch (error) {
      this.#port.send({ kind: 'events', events: [{ kind: 'error', id, error: toWireError(error) }] });
    }
  }

  #refuseEncode(id: number): void {
    const error = toWireError(
      new EngineError('invalid_request', 'This model writes text; it makes no vectors or scores.', { param: 'model' }),
    );
    this.#port.send({ kind: 'events', events: [{ kind: 'error', id, error }] });
  }

  #wake(): void {
    if (this.#isStepping) return;
    this.#isStepping = true;
    this.#work().catch((error: unknown) => {
      // An exception here leaves the scheduler in an unknown state. The process ends; the fleet starts another.
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  async #work(): Promise<void> {
    this.#startStats();
    while (await this.#scheduler.step());
    this.#isStepping = false;
    this.#settle();
  }

  #startStats(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
    this.#statsTimer ??= setInterval(() => this.#sendStats(), STATS_INTERVAL_MS);
  }

  /** Nothing to do for now. */
  #settle(): void {
    if (this.#statsTimer !== null) clearInterval(this.#statsTimer);
    this.#statsTimer = null;
    this.#sendStats();
    if (this.#isDraining && this.#scheduler.isIdle && this.#tokenizing.size === 0) return this.#port.drained();
    this.#idleTimer = setTimeout(() => void this.#relax(), IDLE_RELEASE_MS);
    this.#idleTimer.unref();
  }

  /** Nobody has asked for a while: what was kept for the next request goes back to the machine. */
  async #relax(): Promise<void> {
    this.#isStepping = true;
    this.#scheduler.slots.evictIdle();
    this.#model.grammars.forget();
    await this.#model.session.releaseScratch();
    collectGarbage();
    systemMemory().trim();
    this.#isStepping = false;
    this.#sendStats();
    if (!this.#scheduler.isIdle) this.#wake();
  }

  #sendStats(): void {
    const charges = this.#scheduler.takeCharges();
    if (charges.length > 0) this.#port.send({ kind: 'charges', charges, settled: [] });
    this.#port.send({ kind: 'stats', stats: this.stats() });
  }
}
