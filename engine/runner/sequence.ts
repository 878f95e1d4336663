// Owns one request and its sequences (one for each choice): their counters and what has been said about them.
// Knows nothing about slots, queues or sessions.
import type { AnswerText, RawLogprob } from './answer-text.ts';
import type { Payer } from './device-time.ts';
import type { EngineError } from '../errors.ts';
import type { GrammarCursor } from './grammar/token-filter.ts';
import type { GenerateParams, Timings, Usage } from './protocol.ts';
import type { Sampler } from './sampling/sampler.ts';
import { TokenBuffer } from './token-buffer.ts';

interface SequenceOptions {
  readonly request: Request;
  readonly choice: number;
  readonly order: number;
  readonly sampler: Sampler;
  readonly answer: AnswerText;
  readonly grammar: GrammarCursor | null;
}

/** One answer in the making: a prompt and the tokens made so far. */
export class Sequence {
  readonly request: Request;
  readonly choice: number;
  readonly tokens: TokenBuffer;
  readonly sampler: Sampler;
  readonly answer: AnswerText;
  /** Where the answer stands in the grammar that it must follow; null: it is free. */
  readonly grammar: GrammarCursor | null;
  /** Place in the order of arrival, over all requests. */
  readonly order: number;
  isFinished = false;

  constructor(options: SequenceOptions) {
    this.request = options.request;
    this.choice = options.choice;
    this.order = options.order;
    this.sampler = options.sampler;
    this.answer = options.answer;
    this.grammar = options.grammar;
    this.tokens = new TokenBuffer(options.request.promptTokens);
  }

  get answerLength(): number {
    return this.tokens.length - this.request.promptTokens.length;
  }

  /** Tokens it may still make. */
  get remaining(): number {
    return this.request.maxAnswerTokens - this.answerLength;
  }

  /** Log-probabilities of the prompt need every position computed. */
  get reusesPrefix(): boolean {
    return !this.request.wantsPromptLogprobs || this.request.hasStarted;
  }

  /** The request's first sequence, before anything of it is told, owes the log-probabilities of the prompt. */
  get owesPromptLogprobs(): boolean {
    return this.request.wantsPromptLogprobs && !this.request.hasStarted && this.choice === 0;
  }
}

/** What happened to a request when, in milliseconds of the scheduler's clock. */
interface Milestones {
  readonly arrivedMs: number;
  admittedMs: number | null;
  startedMs: number | null;
}

export class Request implements Payer {
  readonly id: number;
  readonly promptTokens: Int32Array;
  readonly params: GenerateParams;
  /** Tokens each answer may have: the limit asked for, or what the context leaves. */
  readonly maxAnswerTokens: number;
  readonly milestones: Milestones;
  /** Of each prompt token, null for the first; collected only when asked for. */
  readonly promptLogprobs: (RawLogprob | null)[] = [null];
  sequences: readonly Sequence[] = [];
  cachedTokens = 0;
  completionTokens = 0;
  isCancelled = false;
  /** Why it ends without an answer, as soon as that is known. */
  failure: EngineError | null = null;
  decodeSteps = 0;
  /** Sum over the decode steps of the sequences that took part. */
  batchSum = 0;
  draftedTokens = 0;
  acceptedTokens = 0;
  deviceMs = 0;
  toldMs = 0;

  constructor(options: { id: number; promptTokens: Int32Array; params: GenerateParams; contextLength: number; nowMs: number }) {
    const { id, promptTokens, params, contextLength, nowMs } = options;
    this.id = id;
    this.promptTokens = promptTokens;
    this.params = params;
    this.maxAnswerTokens = Math.min(params.maxTokens ?? Infinity, contextLength - promptTokens.length);
    this.milestones = { arrivedMs: nowMs, admittedMs: null, startedMs: null };
  }

  get wantsPromptLogprobs(): boolean {
    return this.params.promptLogprobs;
  }

  get hasStarted(): boolean {
    return this.milestones.startedMs !== null;
  }

  get isDone(): boolean {
    return this.sequences.every((sequence) => sequence.isFinished);
  }

  usage(): Usage {
    return { promptTokens: this.promptTokens.length, cachedTokens: this.cachedTokens, completionTokens: this.completionTokens };
  }

  timings(nowMs: number): Timings {
    const { arrivedMs, admittedMs, startedMs } = this.milestones;
    return {
      queueMs: (admittedMs ?? nowMs) - arrivedMs,
      prefillMs: (startedMs ?? nowMs) - (admittedMs ?? nowMs),
      decodeMs: nowMs - (startedMs ?? nowMs),
      meanBatch: this.decodeSteps === 0 ? 0 : this.batchSum / this.decodeSteps,
      draftedTokens: this.draftedTokens,
      acceptedTokens: this.acceptedTokens,
      deviceMs: this.deviceMs,
    };
  }
}
