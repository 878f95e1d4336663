// Owns the queue of sequences and the step loop: plan, run, post-process. Sequences join and leave at every step.
// Knows nothing about processes or text files; the clock and the session are given.
import { EngineError, assertNever, toWireError } from '../errors.ts';
import { AnswerText } from './answer-text.ts';
import { StepTerminated, type DecoderSession, type LogitsRow } from './decoder-session.ts';
import { DeviceTime, takeCharges } from './device-time.ts';
import type { TokenText } from './detokenize.ts';
import type { CompiledGrammar } from './grammar/token-filter.ts';
import { KvSlots } from './kv-slots.ts';
import { planStep, type StepPlan } from './plan-step.ts';
import type { Charge, GenerateEvent, GenerateParams } from './protocol.ts';
import { Postprocessor } from './postprocess.ts';
import { Sampler } from './sampling/sampler.ts';
import { Request, Sequence } from './sequence.ts';
import { Drafter } from './speculation.ts';
import { decodeStep, prefillStep, verifyStep, type PlannedStep } from './step-request.ts';

export interface SchedulerOptions {
  readonly session: DecoderSession;
  readonly vocab: TokenText;
  /** Tokens of one sequence, prompt and answer. */
  readonly contextLength: number;
  /** Tokens of KV that may be committed. */
  readonly budgetTokens: number;
  readonly chunkTokens: number;
  readonly maxWaiting: number;
  readonly eosTokens: readonly number[];
  readonly bosToken: number | null;
  readonly speculation: boolean;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Seed of a request that gives none. */
  readonly randomSeed: () => bigint;
  /** Once a step, and for what happens between steps. */
  readonly emit: (events: readonly GenerateEvent[]) => void;
  /** The request has its first slot. */
  readonly onAdmitted: (id: number) => void;
  /** Before the last event of a request; and for requests that were cancelled, of which nothing follows. */
  readonly onCharges: (charges: readonly Charge[], settled: readonly number[]) => void;
}

export interface GenerateInput {
  readonly id: number;
  readonly promptTokens: Int32Array;
  /** The request's field that errors about the prompt name. */
  readonly promptField?: 'prompt' | 'messages';
  readonly params: GenerateParams;
  /** What `params.grammar` was compiled to. */
  readonly grammar?: CompiledGrammar | null;
}

/** Counters since the start. */
export interface SchedulerTotals {
  steps: number;
  prefillTokens: number;
  decodeSteps: number;
  decodeTokens: number;
  preemptions: number;
}

type RunPlan = Extract<StepPlan, { kind: 'decode' | 'prefill' | 'verify' }>;

export class Scheduler {
  readonly totals: SchedulerTotals = { steps: 0, prefillTokens: 0, decodeSteps: 0, decodeTokens: 0, preemptions: 0 };
  readonly slots: KvSlots;
  readonly #deviceTime = new DeviceTime();
  readonly #options: SchedulerOptions;
  readonly #session: DecoderSession;
  readonly #postprocessor: Postprocessor;
  readonly #drafter = new Drafter();
  readonly #requests = new Map<number, Request>();
  #waiting: Sequence[] = [];
  #inFlight: PlannedStep | null = null;
  #justPrefilled = false;
  #arrivals = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#session = options.session;
    this.slots = new KvSlots(options.session, options.budgetTokens);
    this.#postprocessor = new Postprocessor({ ...options, eosTokens: new Set(options.eosTokens) });
  }

  /** Requests that no sequence of has a slot. */
  get waitingCount(): number {
    return new Set(this.#waiting.filter(({ request }) => request.milestones.admittedMs === null).map(({ request }) => request)).size;
  }

  /** Time that steps took, from their planning to their last row; what requests are charged adds up to it. */
  get busyMs(): number {
    return this.#deviceTime.busyMs;
  }

  get isIdle(): boolean {
    return this.#requests.size === 0;
  }

  /** True when one more request would exceed the queue's limit; `extra` requests are on their way here. */
  isFull(extra = 0): boolean {
    const free = this.#session.slotCount - this.slots.runningCount;
    return this.waitingCount + extra >= this.#options.maxWaiting + free;
  }

  /** Puts a request at the end of the queue. @throws EngineError `context_length_exceeded`, `invalid_request` for an impossible prompt */
  submit({ id, promptTokens, promptField = 'prompt', params, grammar = null }: GenerateInput): void {
    this.#check(promptTokens, promptField);
    const request = new Request({ id, promptTokens, params, contextLength: this.#options.contextLength, nowMs: this.#options.now() });
    const seed = params.sampling.seed === null ? this.#options.randomSeed() : BigInt.asUintN(64, BigInt(Math.trunc(params.sampling.seed)));
    request.sequences = Array.from({ length: params.n }, (_, choice) => {
      const sampler = new Sampler({ params: params.sampling, promptTokens, seed, choice });
      const answer = new AnswerText(grammar?.text ?? this.#options.vocab, params.stop);
      return new Sequence({ request, choice, order: this.#arrivals++, sampler, answer, grammar: grammar?.begin() ?? null });
    });
    this.#requests.set(id, request);
    this.#waiting.push(...request.sequences);
  }

  /** Forgets a request; no event follows. Its slots are free before the next step, and a step that serves nobody else ends early. */
  cancel(id: number): void {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    request.isCancelled = true;
    if (this.#inFlight?.sequences.every((sequence) => sequence.request.isCancelled) === true) this.#session.terminate();
  }

  /** Does one step; false when there is nothing to do. Not to be called again before it has resolved. */
  async step(): Promise<boolean> {
    const startedMs = this.#options.now();
    this.#dropCancelled();
    const plan = this.#schedule();
    if (plan === null) return false;
    const rows = await this.#run(plan, startedMs);
    if (rows !== null) this.#postprocess(plan, rows);
    return true;
  }

  /** What requests have used since they were last told. */
  takeCharges(): readonly Charge[] {
    return takeCharges(this.#requests.values());
  }

  /** Applies plans that run nothing until one runs something; null when idle. */
  #schedule(): PlannedStep | null {
    for (;;) {
      const plan = this.#plan();
      switch (plan.kind) {
        case 'idle':
          return null;
        case 'admit':
          this.#admit(plan);
          break;
        case 'preempt':
          this.#preempt(plan.slot);
          break;
        case 'move':
          this.slots.move(plan.from, plan.to);
          break;
        case 'evict':
          this.slots.evict(plan.slot);
          break;
        case 'decode':
        case 'prefill':
        case 'verify':
          return this.#prepare(plan);
        default:
          return assertNever(plan);
      }
    }
  }

  #plan(): StepPlan {
    const [head] = this.#waiting;
    const { budgetTokens, chunkTokens } = this.#options;
    return planStep({
      slots: this.slots.view(),
      waiting: head === undefined ? null : { total: head.tokens.length, prefixes: this.slots.prefixes(head) },
      budgetTokens,
      tokensPerPage: this.#session.tokensPerPage,
      chunkTokens,
      justPrefilled: this.#justPrefilled,
      draft: this.#options.speculation ? this.#draft() : [],
    });
  }

  #draft(): readonly number[] {
    if (this.slots.runningCount !== 1) return [];
    const only = this.slots.view().find((slot) => slot.kind === 'running');
    const sequence = only === undefined ? null : this.slots.owner(only.index);
    // A verified token is computed in company, which moves 8-bit logits a little: who gives a seed is promised the same text.
    if (sequence === null || sequence.request.params.sampling.seed !== null) return [];
    return this.#drafter.draft(sequence);
  }

  #admit({ slot, reuse }: Extract<StepPlan, { kind: 'admit' }>): void {
    const sequence = this.#waiting.shift();
    if (sequence === undefined) return;
    this.slots.occupy(slot, sequence, reuse);
    const { request } = sequence;
    if (request.milestones.admittedMs !== null) return;
    request.milestones.admittedMs = this.#options.now();
    request.cachedTokens = reuse?.tokens ?? 0;
    this.#options.onAdmitted(request.id);
  }

  /** Back to the head of the queue; what it has made stays, its KV is recomputed later. */
  #preempt(slot: number): void {
    const sequence = this.slots.owner(slot);
    this.slots.evict(slot);
    if (sequence !== null) this.#waiting.unshift(sequence);
    this.totals.preemptions++;
  }

  #prepare(plan: RunPlan): PlannedStep {
    switch (plan.kind) {
      case 'decode':
        return decodeStep(this.slots, plan);
      case 'prefill':
        return prefillStep(this.slots, plan);
      case 'verify':
        return verifyStep(this.slots, plan);
    }
  }

  async #run(step: PlannedStep, startedMs: number): Promise<readonly LogitsRow[] | null> {
    try {
      return await this.#compute(step, startedMs);
    } catch (error) {
      if (!(error instanceof StepTerminated)) this.#fail(step, error);
      return null;
    }
  }

  async #compute(step: PlannedStep, startedMs: number): Promise<readonly LogitsRow[]> {
    this.#inFlight = step;
    this.totals.steps++;
    try {
      return await this.#session.step(step.request);
    } finally {
      this.#inFlight = null;
      // A step computes one token for each of several sequences, or several for one: equal shares are shares by tokens.
      this.#deviceTime.spend(
        this.#options.now() - startedMs,
        step.sequences.map(({ request }) => request),
      );
    }
  }

  #postprocess(step: PlannedStep, rows: readonly LogitsRow[]): void {
    this.#justPrefilled = step.kind === 'prefill';
    this.#count(step);
    const events = this.#postprocessor.process(step, rows, (slot, length) => this.slots.advance(slot, length));
    if (step.kind === 'verify') this.#drafter.learn(step);
    this.#release(step.sequences);
    const failed = this.#endFailed(step.sequences);
    this.#charge(step.sequences.map(({ request }) => request).filter((request) => request.isDone || request.failure !== null));
    const told = [...events, ...failed];
    if (told.length > 0) this.#options.emit(told);
  }

  /** Requests of which no answer can be made; what tells of it. Their KV is sound. */
  #endFailed(sequences: readonly Sequence[]): readonly GenerateEvent[] {
    const failed = [...new Set(sequences.map(({ request }) => request))].filter(
      (request) => request.failure !== null && !request.isCancelled,
    );
    for (const request of failed) this.#forget(request, (slot) => this.slots.keep(slot));
    return failed.map(({ id, failure }) => ({ kind: 'error', id, error: toWireError(failure) }));
  }

  /** Tells the last charges of requests that end here. */
  #charge(requests: readonly Request[]): void {
    const charges = takeCharges(requests);
    const settled = requests.filter(({ isCancelled }) => isCancelled).map(({ id }) => id);
    if (charges.length > 0 || settled.length > 0) this.#options.onCharges(charges, settled);
  }

  #count({ kind, newTokens, sequences }: PlannedStep): void {
    if (kind === 'prefill') this.totals.prefillTokens += newTokens;
    else this.#countDecode(sequences.length);
  }

  #countDecode(sequenceCount: number): void {
    this.totals.decodeSteps++;
    this.totals.decodeTokens += sequenceCount;
  }

  /** Finished sequences leave their slots; a finished request is forgotten. */
  #release(sequences: readonly Sequence[]): void {
    for (const sequence of sequences) {
      if (!sequence.isFinished) continue;
      const slot = this.#slotOf(sequence);
      if (slot !== null) this.slots.keep(slot);
      if (sequence.request.isDone) this.#requests.delete(sequence.request.id);
    }
  }

  #slotOf(sequence: Sequence): number | null {
    return this.slots.view().find(({ index }) => this.slots.owner(index) === sequence)?.index ?? null;
  }

  #dropCancelled(): void {
    const cancelled = [...this.#requests.values()].filter((request) => request.isCancelled);
    for (const request of cancelled) this.#forget(request, (slot) => this.slots.keep(slot));
    this.#charge(cancelled);
  }

  /** The step's KV is undefined now, so nothing of these sequences is kept. */
  #fail(step: PlannedStep, error: unknown): void {
    const requests = [...new Set(step.sequences.map(({ request }) => request))];
    for (const request of requests) this.#forget(request, (slot) => this.slots.evict(slot));
    this.#charge(requests);
    const wire = toWireError(error);
    this.#options.emit(requests.filter((request) => !request.isCancelled).map(({ id }) => ({ kind: 'error', id, error: wire })));
  }

  #forget(request: Request, leave: (slot: number) => void): void {
    this.#requests.delete(request.id);
    this.#waiting = this.#waiting.filter((sequence) => sequence.request !== request);
    for (const sequence of request.sequences) {
      const slot = this.#slotOf(sequence);
      if (slot !== null) leave(slot);
    }
  }

  #check(promptTokens: Int32Array, param: string): void {
    const { contextLength } = this.#options;
    if (promptTokens.length === 0) throw new EngineError('invalid_request', 'The prompt is empty.', { param });
    if (promptTokens.some((token) => token < 0 || token >= this.#session.vocabSize)) {
      throw new EngineError('invalid_request', `A prompt token is outside the vocabulary of ${this.#session.vocabSize} tokens.`, {
        param,
      });
    }
    if (promptTokens.length < contextLength) return;
    const counts = `This model's context is ${contextLength} tokens, and the prompt has ${promptTokens.length}`;
    throw new EngineError('context_length_exceeded', `${counts}; at least one must be left for the answer.`, { param });
  }
}
